--- Reloads while people are connected.

local json = require "cjson"
local clients = require "spec.nginx.clients"
local room = require "spec.nginx.room"
local server = require "spec.nginx.server"

local connection_count, reload_count = 200, 10

describe("a reload of nginx", function()
  local nginx, people

  before_each(function()
    people = {}
    nginx = server.start(room.http())
  end)

  after_each(function()
    for _, one in ipairs(people) do
      one:vanish()
    end
    assert.is_true(nginx:stop())
  end)

  local function all(is_so)
    return function()
      for _, one in ipairs(people) do
        if not is_so(one) then
          return false
        end
      end
      return true
    end
  end

  local function connect(count, comes_back)
    for i = 1, count do
      people[i] = clients.new(nginx.port, ("user-%03d"):format(i), "room:lobby", comes_back)
    end
    assert.is_true(server.wait_until(all(function(one) return one.state == "joined" end)))
  end

  local function figures()
    return json.decode((nginx:get "/figures"))
  end

  it("closes every socket with 1012; ten of them leave no old worker and no ghost", function()
    connect(connection_count, true)
    local names = figures().keys
    for round = 1, reload_count do
      local old = figures().pid
      nginx:signal "hup"
      assert.is_true(server.wait_until(all(function(one)
        return one.state == "joined" and one.joins == round + 1
      end), 15), "not all came back")
      assert.is_true(server.wait_until(function() return #nginx:workers() == 1 end, 15),
        "the old worker is still there")
      local now = figures()
      assert.not_equal(old, now.pid)
      assert.equal(connection_count, now.sockets)
      assert.equal(names, now.keys)
    end
    for _, one in ipairs(people) do
      assert.equal(("1012 "):rep(reload_count), table.concat(one.codes, " ") .. " ")
    end
    assert.same({}, nginx:complaints())
  end)
end)
