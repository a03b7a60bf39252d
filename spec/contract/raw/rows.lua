--- The contract of the wire, row by row, and the tests that hold a server to it: part of this suite
-- → names. A name that ends in * stands for all that begin so. spec/contract/raw_rows_spec.lua
-- checks that they are there; every platform runs all of them.

return {
  -- Frames.
  { "V2 text is [join_ref, ref, topic, event, payload]; further elements are ignored",
    channels = { "heartbeat takes extra elements and white space" },
    endings = { "a message that is none closes the whole socket, 1011:*" } },
  { "V1 text is an object: topic, event, payload, ref required, join_ref optional; none goes out",
    version_1 = {
      "members come in any order, beside others, and the last of a name counts",
      "a client without join_refs joins, speaks and leaves",
      "presence comes as state, then as diffs",
      "a message that is none closes the whole socket, 1011:*",
    } },
  { "binary pushes and replies, with a ref from the client and without one from the server",
    binary = {
      "a push of the client reaches handle_in_raw, and bytes go back as a reply",
      "of the server a push has no ref, a broadcast no refs, a reply has the status",
      "a binary message that is none closes the whole socket, 1011:*",
    } },
  { "binary broadcasts; clients of version 1 do not get them",
    binary = {
      "of the server a push has no ref, a broadcast no refs, a reply has the status",
      "of the server nothing of bytes goes to clients of version 1, and that is counted",
    } },
  { "fields of a binary head have at most 255 bytes",
    binary = {
      "a push of the client has fields of up to 255 bytes, and may come in fragments",
      "of the server a field that is too long ends the channel that sends it, and reaches nobody",
    } },
  { "a broadcast has null refs; a push the join_ref and a null ref",
    channels = {
      "push and broadcast a broadcast carries neither, and reaches everybody on the topic",
      "push and broadcast a push carries the join_ref and a null ref",
    },
    version_1 = { "pushes and broadcasts have a null ref" } },
  { "refs are echoed as they came, and compared with their type",
    channels = {
      "heartbeat is answered without any join, with the ref as it came",
      "join refs may be numbers, which are not strings",
    },
    binary = {
      "a push of the client with a stale join_ref is dropped; a number is no string",
      "of the server refs are the bytes that text says, numbers their digits",
    } },

  -- Negotiation.
  { "the path is <mount>/websocket",
    negotiation = { "the path is the mount's, and no other" } },
  { "vsn: none is 1.0.0; 1.0.x is V1, 2.0.x is V2, anything else 403",
    negotiation = { "the version *" } },
  { "refused by the application: 403, or the status it names; a connect that raises: 500",
    negotiation = {
      "the application refuses with 403, and its reason",
      "the application refuses with the status that it names",
      "the application that raises answers 500, and does not tell the client what",
    } },
  { "Origin: a missing one is allowed, a bad one is 403",
    negotiation = {
      "the Origin may be missing: native clients send none",
      "the Origin must be the same host and port",
    } },
  { "Origin: same host, off, a list with //*.host, a function",
    negotiation = {
      "the Origin must be the same host and port",
      "the Origin is not looked at when the check is off",
      "the Origin may be one of a list",
      "the Origin may be judged by a function; one that raises refuses",
    } },
  { "the auth token comes in a subprotocol; phoenix is answered and never the token",
    negotiation = {
      "the subprotocol phoenix is answered",
      "the subprotocol carries the auth token, which is never answered",
      "the subprotocol none is answered when none is asked for",
    },
    longpoll = { "a session carries the auth token" } },
  { "only unknown subprotocols, or bad base64: 403",
    negotiation = {
      "the subprotocol is refused with 403 when it is unknown, or the token is not base64",
    } },

  -- What goes out for what comes in.
  { "a heartbeat is answered, without any join",
    channels = { "heartbeat is answered without any join, with the ref as it came" },
    version_1 = { "a heartbeat is answered, with the ref as it came" },
    binary = { "a push of the client may be a heartbeat, and a leave" } },
  { "a join that is accepted: the reply is the first frame of its topic",
    channels = {
      "join is accepted with ok, the first frame of its topic",
      "join is accepted with what the application replies",
      "join matches exact topics and prefixes",
      "a second join of a topic is answered, then the old channel closes, then the new one speaks",
    } },
  { "a join that is rejected: status error, the application's payload, the channel ends",
    channels = {
      "join is rejected with what the application says, and the channel ends",
      "join is rejected with a string as the reason",
      "join may be tried again after it was rejected",
    } },
  { "a join that raises: join crashed",
    channels = { "join whose callback raises says that the join crashed" } },
  { "a join of an unmatched topic: the reply has no join_ref",
    channels = { "join of a topic that nothing matches has no join_ref in its reply" } },
  { "an event on a topic that is not joined: the same frame",
    channels = { "event on a topic that is not joined is answered like an unmatched topic" },
    binary = {
      "a push of the client on a topic that is not joined is answered like an unmatched topic",
    } },
  { "one channel too many: too many channels joined",
    channels = { "one channel too many is refused, those there are live on" } },
  { "a second join of a topic: its reply, the old one's phx_close, then pushes of the new one",
    channels = { "a second join of a topic *" },
    version_1 = { "a second join is answered, then the old channel closes" } },
  { "an event or a leave with a stale join_ref is dropped",
    channels = {
      "event with a stale join_ref is dropped", "leave with a stale join_ref is dropped",
    },
    version_1 = { "an event or a leave with a stale join_ref is dropped" } },
  { "an event with a null join_ref is accepted",
    channels = { "event with a null join_ref is accepted" },
    binary = { "a push of the client has an empty join_ref for null" } },
  { "a leave: the ok reply, then phx_close; of a topic that is not joined the reply only",
    channels = {
      "leave is answered, then the channel closes",
      "leave of a topic that is not joined is answered ok, and that is all",
    },
    version_1 = { "a leave is answered, then phx_close has the join_ref as its ref" } },
  { "a handler that raises, an unknown event: phx_error, no reply, other channels live on",
    channels = {
      "event whose handler raises ends its channel only, without a reply",
      "event that the channel does not know ends it like one that raises",
    },
    version_1 = { "a handler that raises, and an unknown event, end their channel only" },
    binary = { "a push of the client that the channel does not know ends it" } },
  { "a handler that stops the channel: the reply, if any, then phx_close",
    channels = { "event may stop the channel", "event may be answered and stop the channel" } },
  { "malformed JSON, fewer than five elements: the socket closes, 1011",
    endings = { "a message that is none closes the whole socket, 1011:*" },
    version_1 = { "a message that is none closes the whole socket, 1011:*" } },
  { "invalid UTF-8: 1007; unmasked, a reserved bit, a bad opcode: 1002",
    framing = { "a broken frame ends the socket:*" },
    version_1 = { "invalid UTF-8 closes 1007, a binary message 1003" } },
  { "a message over the size limit, its fragments added up: 1009",
    framing = {
      "a broken frame ends the socket: a message over the limit → 1009",
      "a broken frame ends the socket: fragments over the limit, added up → 1009",
      "a message of exactly the limit passes",
    },
    longpoll = { "a post over the message limit ends the session" } },
  { "the client closes: its code is echoed",
    framing = { "a close frame of the client is answered with *" } },
  { "phx_close, phx_error, phx_reply of a client are events unknown to the channel",
    channels = {
      "event phx_close of a client is an event that no channel knows",
      "event phx_error of a client is an event that no channel knows",
      "event phx_reply of a client is an event that no channel knows",
    } },
  { "join, leave and join of one topic in one segment: every reply, in order",
    channels = { "in one segment join, leave and join of a topic are each answered, in order" } },
  { "a join that takes its time holds up its own channel only",
    channels = { "a join that takes its time *" } },
  { "disconnect of a socket id: every socket of it closes, 1001",
    endings = { "disconnect(id) closes every socket of the id, 1001, and no other" },
    longpoll = {
      "the end of a session by the server is told to the poll that waits so that every client"
        .. " comes back",
    } },
  { "a drain: sockets close, 1012, spread over time",
    endings = {
      "drain closes sockets with 1012, and lets nobody in", "drain spreads the closes over time",
    },
    longpoll = {
      "the end of a session by the server comes with a drain, which lets no new one in",
    } },
  { "nothing received for the idle timeout; pings count, what is sent does not; never 1000",
    endings = {
      "a socket that nothing is received from closes, and not with 1000: phoenix.js would not"
        .. " come back",
      "a socket that nothing is received from stays open for pings, not for what is sent to it",
    } },

  -- Long polling.
  { "HTTP's status is 200, the real one in the body; a first GET: 410, a token, no messages",
    longpoll = {
      "a session is opened by a first GET, each with a token of its own that nobody guesses",
    } },
  { "a GET with the token: 200 and messages, or 204 after a while",
    longpoll = {
      "a poll is answered at once with what waits, in order",
      "a poll that waits is answered when something comes",
      "a session goes on while it polls",
      "version 1 is spoken",
    } },
  { "a POST of up to 100 lines of ndjson: 200; more are refused, a trailing newline is nothing",
    longpoll = {
      "a post has at most 100 lines: of more, none is taken",
      "a post may end with a newline, and hold nothing",
    } },
  { "an unknown token: 410, on GET with a new session",
    longpoll = { "a session is a new one for a token that is unknown" } },
  { "refused: 403",
    longpoll = { "a session refused is 403, or 500 when the server is at fault" } },
  { "the token comes in a header or in the query",
    longpoll = { "a session takes its token from the header too" } },
  { "a session ends without polls",
    longpoll = { "a session ends when nobody polls, and its presences leave" } },
  { "a second poll takes over, the first ends with 204",
    longpoll = { "a poll is taken over by a second one" } },
  { "bytes go up as a base64 line",
    longpoll = { "bytes go up and down as base64" } },
  { "CORS follows the Origin check",
    longpoll = {
      "CORS follows the Origin check", "CORS a preflight is answered, for allowed pages only",
    } },
  { "a line that cannot be decoded ends the session",
    longpoll = {
      "a post with no message ends the session", "a post with no base64 ends the session",
      "a post with cut JSON ends the session",
      "a post with an empty line between others ends the session",
      "a post with bytes that are no message ends the session",
    } },

  -- Presence.
  { "a meta is the application's object and a phx_ref, unique per track",
    presence = {
      "a diff is a broadcast that holds exactly the joined meta",
      "a mirror kept as phoenix.js keeps it is exact after joins, updates, leaves and rejoins of"
        .. " many, and no phx_ref comes twice",
    },
    metas = { "a meta that is no object is refused" } },
  { "an update gets a new phx_ref, and phx_ref_prev; it is one frame, new in joins, old in leaves",
    presence = {
      "an update is one frame: the new meta in joins, the old one in leaves",
      "an update A → B → A within one flush leaves no dead ref behind",
      "an update to the same meta is none",
    } },
  { "a client's own phx_ref never reaches the wire",
    metas = { "a client's own phx_ref *" } },
  { "presence_state is pushed after the join; oldest tracked first, stable on update",
    presence = {
      "a joiner gets presence_state as a push: its join_ref, and a null ref",
      "a joiner gets an empty state where nobody is",
      "an update keeps its place: oldest tracked first",
    } },
  { "a join: the reply, presence_state with the joiner's own presence, no diff of it, then diffs",
    presence = {
      "a joiner gets the reply, then presence_state with itself in it, and no diff of itself",
      "a joiner finds itself in the state when it was tracked in join",
      "a joiner finds itself in the state when it was tracked in after_join",
      "a joiner is told of those who come after it, and of them only",
      "a joiner whose after_join waits is told nothing before its state, which holds what came"
        .. " meanwhile",
      "a joiner that is rejected never shows", "a joiner whose join crashes never shows",
    },
    longpoll = { "presence comes as state and diffs" } },
  { "presence_diff: joins and leaves of metas by key",
    presence = {
      "a diff is a broadcast that holds exactly the joined meta",
      "a diff of a leave holds exactly the meta that left", "a diff stays on its topic",
    } },
  { "already_tracked, nopresence; untrack is always fine",
    presence = {
      "an update of what is not tracked, and a track of what is, are refused",
      "a diff goes to a channel that untracks and stays",
    } },
  { "a connection that dies leaves at once with its own metas, unless leave_after says otherwise",
    presence = {
      "several connections of one key are several metas, and each takes only its own along",
      "every end takes presences along:*",
    },
    endings = {
      "a client that is gone without a word leaves no process and no presence behind",
      "with leave_after *",
    } },
  { "a leaver gets nothing after its phx_close; who untracks and stays gets the diff",
    presence = {
      "a diff goes to nobody after its phx_close",
      "a diff goes to a channel that untracks and stays",
    },
    channels = { "leave gets nothing of the topic after its phx_close" } },
  { "several keys of one process leave in one frame",
    presence = { "several connections the keys of one process leave in one frame" } },
  { "every meta that has left is announced as left: mirrors keep no ghosts",
    presence = {
      "a mirror kept as phoenix.js keeps it is exact after joins, updates, leaves and rejoins of"
        .. " many, and no phx_ref comes twice",
      "a storm of joins ends with exact mirrors, in far fewer frames than joins",
      "several connections a second join of one socket is a new meta, the old one leaves in the"
        .. " same frame",
    } },
  { "__proto__, constructor, the empty string, NUL and any Unicode are ordinary keys",
    metas = { "keys are ordinary:*" } },
  { "an option refuses the keys that older phoenix.js crashes on",
    metas = { "keys that crash older phoenix.js are refused where that is asked for" } },
}
