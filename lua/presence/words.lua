--- The error words of the whole module: what stands after nil when the world, not the caller, is at
--- fault. Third comes a detail in prose, for people and logs.
return {
  -- Texts and names.
  not_utf8 = "a topic, a key or a text is not valid UTF-8",
  bad_json = "a text is not exactly one JSON value, or it is nested too deep",
  not_object = "a meta of the runtime is JSON but not an object",
  refused_key = "a key would crash older phoenix.js, and refuse_prototype_keys is set",
  too_large = "a topic, key, pid or meta is over its limit in bytes",

  -- Presences.
  nopresence = "there is nothing to update: the pid is not tracked under this topic and key",
  already_tracked = "the pid is tracked under this topic and key already",
  bad_cursor = "a cursor is not one that page returned",
  damaged = "bytes to decode are cut short, damaged, or of a version this release cannot read",

  -- Processes.
  no_process = "the process has ended, or never was",
  name_taken = "the name is another process's",
  timeout = "what was waited for did not come in time",
  no_reply = "the other side sent no reply to a push",

  -- Servers.
  address_in_use = "a server cannot listen: something else listens on this port",
  bad_host = "a server cannot listen: its host is not an address of this machine",
  listen_failed = "a server cannot listen; the detail says why",
  no_folder = "a folder of files to serve does not exist",

  -- Bytes from the network.
  bad_message = "a message is not in the form of its protocol",
  bad_request = "an HTTP request is malformed",
  head_too_large = "the head of an HTTP request is over its limit",
  bad_query = "the query of a URL has a broken escape",
  bad_base64 = "a text is not base64",

  -- Tokens.
  bad_token = "a token is malformed, not signed by this secret, or not good yet",
  expired = "a token was good until some time ago",
}
