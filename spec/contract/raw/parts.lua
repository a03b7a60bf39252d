--- The parts of the suite of raw frames, in the order in which they are played.
return {
  "framing", "negotiation", "channels", "endings", "presence", "metas", "mirrors", "version_1",
  "binary", "limits", "rights", "longpoll",
}
