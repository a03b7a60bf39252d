%% Presences in nested Erlang maps: #{Topic => #{Key => [{Pid, Meta}]}}, the persistent maps that
%% Phoenix.Presence stands on. Times with the samples of bench/core/samples.h.
%%
%%   erl -noshell -pa build/bench -run presence_maps main PRESENCES TOPICS
%%
%% Prints name, value, unit, separated by tabs. Times are of the clock on the wall, the collector's
%% part included; the fastest round counts.
-module(presence_maps).
-export([main/1]).

main([PresencesText, TopicsText]) ->
    Presences = list_to_integer(PresencesText),
    Topics = list_to_integer(TopicsText),
    Runs = min(Presences div 5, 20000),
    Resting = [sample(I, Topics) || I <- lists:seq(0, Presences - 1)],
    Coming = [sample(I, Topics) || I <- lists:seq(Presences, Presences + Runs - 1)],
    Rounds = case Presences > 100000 of true -> 2; false -> 5 end,
    All = [round(Resting, Coming) || _ <- lists:seq(1, Rounds)],
    [print(Name, lists:min([element(At, R) || R <- All]), Count)
     || {Name, At, Count} <- [{"build", 1, Presences}, {"track", 2, Runs}, {"untrack", 3, Runs}]],
    halt(0).

sample(I, Topics) ->
    Text = fun(Format, Arguments) -> iolist_to_binary(io_lib:format(Format, Arguments)) end,
    Key = Text("~s~w", [string:slice("user-numb", 0, 1 + I rem 9), 1000000 + I]),
    Meta = Text("{\"device\":\"web\",\"at\":~w,\"n\":\"~s\"}",
                [1700000000 + I rem 1000000, lists:duplicate(1 + I * 7 rem 41, $0)]),
    {Text("room:~7..0w", [I rem Topics]), Key, I, Meta}.

%% In a process of its own, so that what was built before is not the collector's to trace.
round(Resting, Coming) ->
    {Pid, Monitor} = spawn_opt(
        fun() ->
            {BuildTime, State} = timed(fun() -> lists:foldl(fun track/2, #{}, Resting) end),
            {TrackTime, More} = timed(fun() -> lists:foldl(fun track/2, State, Coming) end),
            {UntrackTime, Less} = timed(fun() -> lists:foldl(fun untrack/2, More, Coming) end),
            true = map_size(Less) =:= map_size(State),
            exit({BuildTime, TrackTime, UntrackTime})
        end, [monitor]),
    receive {'DOWN', Monitor, process, Pid, Times} when is_tuple(Times) -> Times end.

timed(Fun) ->
    Start = now_ns(),
    Result = Fun(),
    {now_ns() - Start, Result}.

now_ns() ->
    os:perf_counter(nanosecond).

print(Name, Time, Count) ->
    io:format("~s, Erlang maps\t~.3f\tns~n", [Name, Time / Count]).

track({Topic, Key, Pid, Meta}, State) ->
    Keys = maps:get(Topic, State, #{}),
    Metas = maps:get(Key, Keys, []),
    State#{Topic => Keys#{Key => [{Pid, Meta} | Metas]}}.

untrack({Topic, Key, Pid, _}, State) ->
    #{Topic := Keys} = State,
    #{Key := Metas} = Keys,
    case lists:keydelete(Pid, 1, Metas) of
        [] ->
            Left = maps:remove(Key, Keys),
            case map_size(Left) of
                0 -> maps:remove(Topic, State);
                _ -> State#{Topic := Left}
            end;
        Rest ->
            State#{Topic := Keys#{Key := Rest}}
    end.
