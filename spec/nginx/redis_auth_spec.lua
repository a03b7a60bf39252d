--- The example of a channel that asks Redis who may join.

local clients = require "spec.nginx.clients"
local redis = require "spec.nginx.redis"
local server = require "spec.nginx.server"

local example = "examples/nginx/redis_auth/"

describe("examples/nginx/redis_auth", function()
  local nginx, store, people

  before_each(function()
    people = {}
    store = redis.start()
    local file = assert(io.open(example .. "presence.conf"))
    local conf = file:read "*a"
    file:close()
    -- The installed module is found without a path; the module of this tree is not.
    conf = conf:gsub('lua_package_path [^\n]*\n', ""):gsub("127%.0%.0%.1:4000", "127.0.0.1:$port")
    nginx = server.start(conf, "env REDIS_PORT;", { REDIS_PORT = tostring(store.port) }, example)
  end)

  after_each(function()
    for _, one in ipairs(people) do
      one:vanish()
    end
    nginx:stop()
    store:stop()
  end)

  local function open(user_id, topic)
    local one = clients.new(nginx.port, user_id, topic)
    people[#people + 1] = one
    return one
  end

  local function has_answer(one)
    return function() return one.failure or one.state == "joined" end
  end

  it("lets members in, and nobody else", function()
    assert.equal(":1", store:call("SADD", "members:garden", "ann"))
    local ann, ben = open("ann", "room:garden"), open("ben", "room:garden")
    assert.is_true(server.wait_until(has_answer(ann)))
    assert.is_true(server.wait_until(has_answer(ben)))
    assert.equal("joined", ann.state)
    assert.matches('"status":"error","response":{"reason":"not a member"}', ben.failure, 1, true)
    assert.same({}, nginx:complaints())
  end)

  it("makes nobody wait but who asks", function()
    store:call("SADD", "members:garden", "ann", "cyd")
    local ann = open("ann", "room:garden")
    assert.is_true(server.wait_until(has_answer(ann)))
    assert.equal("+OK", store:call("CLIENT", "PAUSE", "600"))
    local cyd, shouts = open("cyd", "room:garden"), 0
    ann.on_message = function(data)
      shouts = shouts + (data:find('"shout"', 1, true) and 1 or 0)
    end
    assert.is_true(server.wait_until(function() return cyd.state == "joining" end))
    for i = 1, 20 do
      ann:push("shout")
      assert.is_true(server.wait_until(function() return shouts == i end, 0.5))
    end
    assert.equal("joining", cyd.state)
    assert.is_true(server.wait_until(has_answer(cyd)))
    assert.equal("joined", cyd.state)
  end)

  it("answers when Redis is gone", function()
    store:stop()
    local ann = open("ann", "room:garden")
    assert.is_true(server.wait_until(has_answer(ann)))
    assert.matches("try again later", ann.failure, 1, true)
    assert.matches("Redis cannot be asked: connection refused", nginx:log(), 1, true)
  end)
end)
