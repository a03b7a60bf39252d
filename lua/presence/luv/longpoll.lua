--- Carries long polls over HTTP: a request of a peer to the endpoint, its response back, now or
--- later.

local core = require "presence.core"

local M = {}

local function handle(peer, request, query, body)
  local function respond(status, headers, response_body)
    if peer.state_ == "responding" then
      peer.poll_ = nil
      peer:respond_(status, headers, response_body)
    end
  end
  local poll = peer.server_.bound.longpoll:handle({
    method = request.method, path = request.path, query = query, headers = request.headers,
    body = body, remote_address = peer.address_, secure = false,
  }, respond)
  if poll and peer.state_ == "responding" then
    peer.poll_ = poll
    peer:read_on_() -- to hear when the client hangs up
  end
end

local function refuse(peer, status, reason)
  peer.keeps_alive_ = false -- a body that nobody reads may follow
  peer:answer_(status, reason)
end

--- Serves the request that the peer has in hand.
---@param peer presence.luv.Peer
---@param request presence.http_request
function M.serve(peer, request)
  local query = core.query_decode(request.query or "")
  local length = tonumber(request.headers["content-length"] or 0)
  local longpoll = peer.server_.bound.longpoll
  if not query then
    refuse(peer, 400, "the query has a broken escape")
  elseif request.headers["transfer-encoding"] then
    refuse(peer, 411, "a body must come with its Content-Length")
  elseif length > longpoll.options.longpoll_max_body_bytes then
    peer.keeps_alive_ = false
    longpoll:refuse_body(request, function(...) peer:respond_(...) end)
  elseif length > 0 then
    peer:read_body_(request, length, function(body) handle(peer, request, query, body) end)
  else
    handle(peer, request, query)
  end
end

return M
