/* Lets each call of a function that libpresence exports tell note() of itself, which the test that
   includes this declares. The names are those of src/core/exports.txt; the house checks that. */
#ifndef PRESENCE_SPEC_NOTED_EXPORTS_H
#define PRESENCE_SPEC_NOTED_EXPORTS_H

#define PRESENCE_EXPORTS(X)                                                                        \
  X(presence_connections)                                                                          \
  X(presence_count)                                                                                \
  X(presence_decode)                                                                               \
  X(presence_diff)                                                                                 \
  X(presence_diff_iter_init)                                                                       \
  X(presence_diff_iter_init_topic)                                                                 \
  X(presence_diff_iter_next)                                                                       \
  X(presence_diff_json)                                                                            \
  X(presence_editor_close)                                                                         \
  X(presence_editor_discard)                                                                       \
  X(presence_editor_get)                                                                           \
  X(presence_editor_join)                                                                          \
  X(presence_editor_leave)                                                                         \
  X(presence_editor_open)                                                                          \
  X(presence_editor_reset)                                                                         \
  X(presence_editor_snapshot)                                                                      \
  X(presence_editor_state)                                                                         \
  X(presence_editor_take_over_ref)                                                                 \
  X(presence_editor_track)                                                                         \
  X(presence_editor_track_ref)                                                                     \
  X(presence_editor_untrack)                                                                       \
  X(presence_editor_update)                                                                        \
  X(presence_editor_update_ref)                                                                    \
  X(presence_encode)                                                                               \
  X(presence_entry_at)                                                                             \
  X(presence_entry_count)                                                                          \
  X(presence_entry_difference)                                                                     \
  X(presence_entry_equal)                                                                          \
  X(presence_entry_find)                                                                           \
  X(presence_entry_iter_init)                                                                      \
  X(presence_entry_iter_next)                                                                      \
  X(presence_entry_iter_seek)                                                                      \
  X(presence_entry_new)                                                                            \
  X(presence_entry_release)                                                                        \
  X(presence_entry_retain)                                                                         \
  X(presence_equal)                                                                                \
  X(presence_find_topic)                                                                           \
  X(presence_get)                                                                                  \
  X(presence_hash_seed)                                                                            \
  X(presence_heap_free)                                                                            \
  X(presence_heap_new)                                                                             \
  X(presence_heap_stats)                                                                           \
  X(presence_heap_work)                                                                            \
  X(presence_join_diff_json)                                                                       \
  X(presence_leave_diff_json)                                                                      \
  X(presence_list_json)                                                                            \
  X(presence_meta_data)                                                                            \
  X(presence_meta_equal)                                                                           \
  X(presence_meta_iter_init)                                                                       \
  X(presence_meta_iter_next)                                                                       \
  X(presence_meta_new)                                                                             \
  X(presence_meta_pid)                                                                             \
  X(presence_meta_ref)                                                                             \
  X(presence_meta_release)                                                                         \
  X(presence_meta_retain)                                                                          \
  X(presence_patch)                                                                                \
  X(presence_pid_integer)                                                                          \
  X(presence_pid_string)                                                                           \
  X(presence_state_heap)                                                                           \
  X(presence_state_new)                                                                            \
  X(presence_state_of_topic)                                                                       \
  X(presence_state_release)                                                                        \
  X(presence_state_retain)                                                                         \
  X(presence_stats)                                                                                \
  X(presence_status_word)                                                                          \
  X(presence_string_of)                                                                            \
  X(presence_topic_connections)                                                                    \
  X(presence_topic_count)                                                                          \
  X(presence_topic_get)                                                                            \
  X(presence_topic_iter_init)                                                                      \
  X(presence_topic_iter_next)                                                                      \
  X(presence_topic_name)                                                                           \
  X(presence_track)                                                                                \
  X(presence_untrack)                                                                              \
  X(presence_update)                                                                               \
  X(presence_version)

#define NOTED_NAME(name) NOTED_##name,
enum noted { PRESENCE_EXPORTS(NOTED_NAME) NOTED_COUNT };

#define NOTED_TEXT(name) #name,
static const char *const noted_names[] = {PRESENCE_EXPORTS(NOTED_TEXT)};

/* A macro is not expanded within itself, so each of these ends in a call. */
#define NOTED(name, ...) (note(NOTED_##name), name(__VA_ARGS__))
// clang-format off
#define presence_connections(...) NOTED(presence_connections, __VA_ARGS__)
#define presence_count(...) NOTED(presence_count, __VA_ARGS__)
#define presence_decode(...) NOTED(presence_decode, __VA_ARGS__)
#define presence_diff(...) NOTED(presence_diff, __VA_ARGS__)
#define presence_diff_iter_init(...) NOTED(presence_diff_iter_init, __VA_ARGS__)
#define presence_diff_iter_init_topic(...) NOTED(presence_diff_iter_init_topic, __VA_ARGS__)
#define presence_diff_iter_next(...) NOTED(presence_diff_iter_next, __VA_ARGS__)
#define presence_diff_json(...) NOTED(presence_diff_json, __VA_ARGS__)
#define presence_editor_close(...) NOTED(presence_editor_close, __VA_ARGS__)
#define presence_editor_discard(...) NOTED(presence_editor_discard, __VA_ARGS__)
#define presence_editor_get(...) NOTED(presence_editor_get, __VA_ARGS__)
#define presence_editor_join(...) NOTED(presence_editor_join, __VA_ARGS__)
#define presence_editor_leave(...) NOTED(presence_editor_leave, __VA_ARGS__)
#define presence_editor_open(...) NOTED(presence_editor_open, __VA_ARGS__)
#define presence_editor_reset(...) NOTED(presence_editor_reset, __VA_ARGS__)
#define presence_editor_snapshot(...) NOTED(presence_editor_snapshot, __VA_ARGS__)
#define presence_editor_state(...) NOTED(presence_editor_state, __VA_ARGS__)
#define presence_editor_take_over_ref(...) NOTED(presence_editor_take_over_ref, __VA_ARGS__)
#define presence_editor_track(...) NOTED(presence_editor_track, __VA_ARGS__)
#define presence_editor_track_ref(...) NOTED(presence_editor_track_ref, __VA_ARGS__)
#define presence_editor_untrack(...) NOTED(presence_editor_untrack, __VA_ARGS__)
#define presence_editor_update(...) NOTED(presence_editor_update, __VA_ARGS__)
#define presence_editor_update_ref(...) NOTED(presence_editor_update_ref, __VA_ARGS__)
#define presence_encode(...) NOTED(presence_encode, __VA_ARGS__)
#define presence_entry_at(...) NOTED(presence_entry_at, __VA_ARGS__)
#define presence_entry_count(...) NOTED(presence_entry_count, __VA_ARGS__)
#define presence_entry_difference(...) NOTED(presence_entry_difference, __VA_ARGS__)
#define presence_entry_equal(...) NOTED(presence_entry_equal, __VA_ARGS__)
#define presence_entry_find(...) NOTED(presence_entry_find, __VA_ARGS__)
#define presence_entry_iter_init(...) NOTED(presence_entry_iter_init, __VA_ARGS__)
#define presence_entry_iter_next(...) NOTED(presence_entry_iter_next, __VA_ARGS__)
#define presence_entry_iter_seek(...) NOTED(presence_entry_iter_seek, __VA_ARGS__)
#define presence_entry_new(...) NOTED(presence_entry_new, __VA_ARGS__)
#define presence_entry_release(...) NOTED(presence_entry_release, __VA_ARGS__)
#define presence_entry_retain(...) NOTED(presence_entry_retain, __VA_ARGS__)
#define presence_equal(...) NOTED(presence_equal, __VA_ARGS__)
#define presence_find_topic(...) NOTED(presence_find_topic, __VA_ARGS__)
#define presence_get(...) NOTED(presence_get, __VA_ARGS__)
#define presence_hash_seed(...) NOTED(presence_hash_seed, __VA_ARGS__)
#define presence_heap_free(...) NOTED(presence_heap_free, __VA_ARGS__)
#define presence_heap_new(...) NOTED(presence_heap_new, __VA_ARGS__)
#define presence_heap_stats(...) NOTED(presence_heap_stats, __VA_ARGS__)
#define presence_heap_work(...) NOTED(presence_heap_work, __VA_ARGS__)
#define presence_join_diff_json(...) NOTED(presence_join_diff_json, __VA_ARGS__)
#define presence_leave_diff_json(...) NOTED(presence_leave_diff_json, __VA_ARGS__)
#define presence_list_json(...) NOTED(presence_list_json, __VA_ARGS__)
#define presence_meta_data(...) NOTED(presence_meta_data, __VA_ARGS__)
#define presence_meta_equal(...) NOTED(presence_meta_equal, __VA_ARGS__)
#define presence_meta_iter_init(...) NOTED(presence_meta_iter_init, __VA_ARGS__)
#define presence_meta_iter_next(...) NOTED(presence_meta_iter_next, __VA_ARGS__)
#define presence_meta_new(...) NOTED(presence_meta_new, __VA_ARGS__)
#define presence_meta_pid(...) NOTED(presence_meta_pid, __VA_ARGS__)
#define presence_meta_ref(...) NOTED(presence_meta_ref, __VA_ARGS__)
#define presence_meta_release(...) NOTED(presence_meta_release, __VA_ARGS__)
#define presence_meta_retain(...) NOTED(presence_meta_retain, __VA_ARGS__)
#define presence_patch(...) NOTED(presence_patch, __VA_ARGS__)
#define presence_pid_integer(...) NOTED(presence_pid_integer, __VA_ARGS__)
#define presence_pid_string(...) NOTED(presence_pid_string, __VA_ARGS__)
#define presence_state_heap(...) NOTED(presence_state_heap, __VA_ARGS__)
#define presence_state_new(...) NOTED(presence_state_new, __VA_ARGS__)
#define presence_state_of_topic(...) NOTED(presence_state_of_topic, __VA_ARGS__)
#define presence_state_release(...) NOTED(presence_state_release, __VA_ARGS__)
#define presence_state_retain(...) NOTED(presence_state_retain, __VA_ARGS__)
#define presence_stats(...) NOTED(presence_stats, __VA_ARGS__)
#define presence_status_word(...) NOTED(presence_status_word, __VA_ARGS__)
#define presence_string_of(...) NOTED(presence_string_of, __VA_ARGS__)
#define presence_topic_connections(...) NOTED(presence_topic_connections, __VA_ARGS__)
#define presence_topic_count(...) NOTED(presence_topic_count, __VA_ARGS__)
#define presence_topic_get(...) NOTED(presence_topic_get, __VA_ARGS__)
#define presence_topic_iter_init(...) NOTED(presence_topic_iter_init, __VA_ARGS__)
#define presence_topic_iter_next(...) NOTED(presence_topic_iter_next, __VA_ARGS__)
#define presence_topic_name(...) NOTED(presence_topic_name, __VA_ARGS__)
#define presence_track(...) NOTED(presence_track, __VA_ARGS__)
#define presence_untrack(...) NOTED(presence_untrack, __VA_ARGS__)
#define presence_update(...) NOTED(presence_update, __VA_ARGS__)
#define presence_version(...) NOTED(presence_version, __VA_ARGS__)
// clang-format on

#endif
