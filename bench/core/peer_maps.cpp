// The mutable references: hash maps of hash maps of metas, looked up without making a string.
#include <absl/container/flat_hash_map.h>

#include <cstdlib>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "bench/core/peer.h"

namespace {

struct meta {
  int64_t pid;
  std::string data;
};
using entry = std::vector<meta>;

struct transparent_hash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};

template <class Value>
using std_map = std::unordered_map<std::string, Value, transparent_hash, std::equal_to<>>;
template <class Value>
using absl_map = absl::flat_hash_map<std::string, Value>;

// View is what the map looks up by: Debian's Abseil has a string_view of its own.
template <class Map, class View> struct peer {
  static View view(bench_text text) { return {text.bytes, text.size}; }
  static std::string string(bench_text text) { return {text.bytes, text.size}; }

  static void *make() { return new Map; }

  static void track(void *store, const bench_sample *const *samples, size_t count) {
    Map &topics = *static_cast<Map *>(store);
    for (size_t i = 0; i < count; i++) {
      const bench_sample &s = *samples[i];
      auto topic = topics.find(view(s.topic));
      if (topic == topics.end()) topic = topics.try_emplace(string(s.topic)).first;
      auto &keys = topic->second;
      auto key = keys.find(view(s.key));
      if (key == keys.end()) key = keys.try_emplace(string(s.key)).first;
      key->second.push_back({s.pid, string(s.meta)});
    }
  }

  static void untrack(void *store, const bench_sample *const *samples, size_t count) {
    Map &topics = *static_cast<Map *>(store);
    for (size_t i = 0; i < count; i++) {
      const bench_sample &s = *samples[i];
      auto topic = topics.find(view(s.topic));
      if (topic == topics.end()) std::exit(1);
      auto key = topic->second.find(view(s.key));
      if (key == topic->second.end()) std::exit(1);
      std::erase_if(key->second, [&](const meta &m) { return m.pid == s.pid; });
      if (!key->second.empty()) continue;
      topic->second.erase(key);
      if (topic->second.empty()) topics.erase(topic);
    }
  }

  static size_t find(void *store, const bench_sample *const *samples, size_t count) {
    const Map &topics = *static_cast<Map *>(store);
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
      auto topic = topics.find(view(samples[i]->topic));
      if (topic != topics.end()) found += topic->second.contains(view(samples[i]->key));
    }
    return found;
  }

  static void drop(void *store) { delete static_cast<Map *>(store); }

  static constexpr bench_peer named(const char *name) {
    return {name, make, track, untrack, find, drop};
  }
};

} // namespace

extern "C" const bench_peer bench_std_map =
    peer<std_map<std_map<entry>>, std::string_view>::named("std::unordered_map");
extern "C" const bench_peer bench_absl_map =
    peer<absl_map<absl_map<entry>>, absl::string_view>::named("absl::flat_hash_map");
