---@meta

--- presence.core, text and net: what `require "presence.core"` has beside the pure layer. Misuse
--- (a wrong type, a missing argument) raises; what the world can cause returns
--- `nil, word, detail`. Memory that runs out raises Lua's "not enough memory", and nothing is lost.

---@class presence.core
local core = {}

--- True when `s` is UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF. O(#s).
---@param s string
---@return boolean
function core.utf8_valid(s) end

--- True when `text` is one JSON value by RFC 8259 with white space around it, its strings UTF-8.
--- `max_depth` bounds the nesting of arrays and objects (0 to 1024, default 64). O(#text).
---@param text string
---@param max_depth? integer
---@return true? valid
---@return "bad_json"|"not_utf8"|nil word
---@return string? detail what is wrong, "… at byte n", n from 1
function core.json_valid(text, max_depth) end

--- `s` as a JSON string with its quotes; only quote, backslash and control characters are escaped.
---@param s string
---@return string? json
---@return "not_utf8"|nil word
---@return string? detail
function core.json_quote(s) end

--- Standard alphabet, with padding.
---@param bytes string
---@return string
function core.base64_encode(bytes) end

--- Padding may be left out, but not be wrong; unused bits must be zero; white space is refused.
---@param text string
---@param url_safe? boolean `-` and `_` in place of `+` and `/`
---@return string? bytes
---@return "bad_base64"|nil word
---@return string? detail
function core.base64_decode(text, url_safe) end

--- Cuts a Phoenix V2 text message, `[join_ref, ref, topic, event, payload]`, and checks all of it.
--- Elements beyond the fifth are ignored. O(#text), no tree is built.
---@param text string
---@param max_depth? integer of the payload (0 to 1024, default 64)
---@return true? ok
---@return string? join_ref raw JSON (`'"1"'`, `'1'`), nil for null; else the word "bad_message"
---@return string? ref the same; else the detail
---@return string topic decoded
---@return string event decoded
---@return string payload JSON text, its bytes kept
function core.cut_v2(text, max_depth) end

--- Cuts a Phoenix V1 text message, an object with `topic`, `event`, `payload`, `ref` and maybe
--- `join_ref`. Other members are ignored; of members of one name the last counts. O(#text).
---@param text string
---@param max_depth? integer of the payload (0 to 1024, default 64)
---@return true? ok
---@return string? join_ref as `cut_v2`; else the word "bad_message"
---@return string? ref the same; else the detail
---@return string topic decoded
---@return string event decoded
---@return string payload JSON text, its bytes kept
function core.cut_v1(text, max_depth) end

---@alias presence.binary_kind "client_push"|"push"|"reply"|"broadcast"

--- Cuts a Phoenix V2 binary message. Refs become the JSON that they are in text; empty ones nil.
---@param bytes string
---@param from_server? boolean a server sent it; default: a client did
---@return true? ok
---@return string? join_ref raw JSON; else the word "bad_message"
---@return string? ref raw JSON; else the detail
---@return string topic
---@return string event a reply's status
---@return string data
---@return presence.binary_kind kind
function core.cut_binary(bytes, from_server) end

--- Bytes of the system's random source, for what nobody may guess.
---@param n integer 1 to 256
---@return string
function core.random_bytes(n) end

--- An encoded message: its bytes live in C once, however many outboxes hold it. `#message` is the
--- number of its payload's bytes.
---@class presence.message
---@operator len: integer
local message = {}

--- The payload: text, or the bytes of a binary message.
---@return string
function message:text() end

---@return boolean
function message:is_binary() end

--- `[join_ref,ref,"topic","event",payload]`. Topic and event must be UTF-8; the JSON given is not
--- checked again.
---@param join_ref string? raw JSON; nil is null
---@param ref string? raw JSON; nil is null
---@param topic string
---@param event string
---@param payload_json string
---@param box? presence.message to be used again; what it held stays where it waits
---@return presence.message
function core.message_v2(join_ref, ref, topic, event, payload_json, box) end

--- `{"topic":"topic","event":"event","ref":ref,"payload":payload}`. As `message_v2` otherwise.
---@param ref string? raw JSON; nil is null
---@param topic string
---@param event string
---@param payload_json string
---@param box? presence.message to be used again
---@return presence.message
function core.message_v1(ref, topic, event, payload_json, box) end

--- A binary message. Fields that the kind does not have are left out; those it has hold at most 255
--- bytes of UTF-8, a longer one raises.
---@param kind presence.binary_kind
---@param join_ref string? raw JSON; nil is empty
---@param ref string? raw JSON; nil is empty
---@param topic string
---@param event string a reply's status
---@param data string any bytes
---@param box? presence.message to be used again
---@return presence.message
function core.message_binary(kind, join_ref, ref, topic, event, data, box) end

--- A message of any text (UTF-8) or, when `is_binary`, of any bytes.
---@param bytes string
---@param is_binary? boolean
---@param box? presence.message to be used again
---@return presence.message
function core.message(bytes, is_binary, box) end

--- Outboxes that have something to write, in the order in which they came to have it.
---@class presence.due
local due = {}

---@return presence.due
function core.due() end

--- True when something is due and nobody has been told so since the last `write`.
---@return boolean
function due:tell() end

--- Writes the frames of every outbox that has a descriptor. Gives the numbers of those that are for
--- their owners: they have none, it took not all, they are closed or have overflowed.
---@return integer[]? numbers nil when nothing is left
function due:write() end

--- What waits for one connection, in order. `#outbox` is the number of messages.
---@class presence.outbox
---@operator len: integer
local outbox = {}

--- With framing "websocket" `take` gives frames back to back, with "message" whole messages.
---@param framing "websocket"|"message"
---@param list? presence.due where it is listed when it has something to write
---@param number? integer what it is called there
---@param max_bytes? integer that may wait while it is blocked
---@return presence.outbox
function core.outbox(framing, list, number, max_bytes) end

--- Appends a message: a pointer, no copy. When it is closed: nothing.
---@param m presence.message
---@return boolean is_news something is due that nobody has been told of (`due:tell`)
function outbox:add(m) end

--- Appends a control frame (close 8, ping 9, pong 10), at most 125 bytes; framing "websocket" only.
---@param opcode 8|9|10
---@param payload? string
---@return boolean is_news
function outbox:add_frame(opcode, payload) end

--- Its reader does not keep up, or does again. Blocked it is not due, unless more than `max_bytes`
--- wait.
---@param is_blocked boolean
---@return boolean is_news
function outbox:block(is_blocked) end

--- Takes nothing more. Its owner gets it once more, to write what waits.
---@return boolean is_news
function outbox:close() end

--- The connection is gone: nothing waits, nothing is taken, nothing is written.
function outbox:abandon() end

--- Neither blocked nor closed.
---@return boolean
function outbox:is_writable() end

--- Frames may be written to this descriptor, which belongs to somebody else; nil: no more.
---@param descriptor? integer
function outbox:direct(descriptor) end

--- Bytes waiting: of frames with their heads, or of payloads with framing "message".
---@return integer
function outbox:bytes() end

--- Framing "websocket": everything that waits, as one string. Framing "message": the oldest
--- message, and whether it is binary. nil when nothing waits.
---@return string? bytes
---@return boolean? is_binary framing "message" only
function outbox:take() end

--- Forgets everything that waits.
function outbox:clear() end

--- Outboxes that are told the same, each at a place from 1 to `#audience`. One is in step when it
--- was told all that the others were.
---@class presence.audience
---@operator len: integer
local audience = {}

---@return presence.audience
function core.audience() end

--- Gives an outbox the place after the last.
---@param q presence.outbox
---@param is_in_step? boolean
function audience:add(q, is_in_step) end

--- Takes a place away; the last outbox moves there.
---@param place integer
---@return boolean was_told anything by `tell`
function audience:remove(place) end

--- Adds a message to every outbox, but that at a place.
---@param m presence.message
---@param except? integer
function audience:send(m, except) end

--- Adds a message to every outbox that is in step and neither blocked nor closed; the others are
--- out of step then. With nil nothing is told.
---@param m? presence.message
---@return integer strays how many are not in step
function audience:tell(m) end

--- The places of those that are not in step.
---@return integer[]
function audience:strays() end

--- It was told by itself what it had missed.
---@param place integer
function audience:set_in_step(place) end

--- The payload of a close frame. No code: an empty one.
---@param code? integer 1000 to 1003, 1007 to 1014, 3000 to 4999
---@param reason? string UTF-8, at most 123 bytes
---@return string
function core.close_payload(code, reason) end

--- A masked frame, as a client sends it. Any opcode is written, for tests of servers too.
---@param opcode integer 0 to 15
---@param payload string
---@param mask string 4 bytes
---@param fin? boolean default true
---@return string
function core.client_frame(opcode, payload, mask, fin) end

---@class presence.websocket.options
---@field max_message_bytes integer of a message with all its fragments; beyond: 1009
---@field max_fragments integer frames of one message; beyond: 1009
---@field role? "server"|"client" which end we are, default "server"

--- A decoder of WebSocket frames (RFC 6455).
---@class presence.websocket
local websocket = {}

---@param options presence.websocket.options
---@return presence.websocket
function core.websocket(options) end

--- Takes bytes from the socket, split anywhere.
---@param bytes string
function websocket:feed(bytes) end

--- The next event, nil when more bytes are needed. "text", "binary", "ping" and "pong" come with
--- their payload; "close" with its code (nil when there was none) and reason; "error" with the code
--- to close with and a reason. After "close" or "error" nothing more comes.
---@return "text"|"binary"|"ping"|"pong"|"close"|"error"|nil kind
---@return string|integer|nil data payload, or code
---@return string? reason of "close" and "error"
function websocket:next() end

---@class presence.http_request
---@field method string
---@field target string as it came
---@field path string the target before the first "?", not decoded
---@field query? string what follows it, not decoded
---@field version "1.0"|"1.1"
---@field headers table<string, string> lower-case names; repeats joined by ", "

--- Reads the head at the start of `bytes`, strictly (RFC 9112; see src/net/http.h for what is
--- refused). Nothing but nil is returned while more bytes are needed.
---@param bytes string
---@param max_head_bytes integer
---@param max_headers integer
---@return presence.http_request? request
---@return integer|"bad_request"|"head_too_large"|nil consumed bytes of the head, or a word
---@return string? detail
function core.http_request(bytes, max_head_bytes, max_headers) end

--- Pairs of a query string, `%XX` and `+` decoded; of equal names the last wins.
---@param raw string
---@return table<string, string>? pairs
---@return "bad_query"|nil word
---@return string? detail
function core.query_decode(raw) end

return core
