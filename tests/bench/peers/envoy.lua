-- The rule for email writes as an Envoy filter. Envoy's Lua brings no JSON, so the few members that matter are found
-- by walking the text. Names and values written with escapes are understood; broken JSON is not noticed.

local EMAILS = "/api/v1/activity/email/"
local NEEDS_SENDER = { inbox = true, scheduled = true, outbox = true, error = true }
local SENDS = { scheduled = true, outbox = true }
local REJECTION = '{"errors": [], "field-errors": {"sender": "This field is required."}}'
local TTL = 600 -- seconds for which the owner of a key is remembered
local LOOK_UP_LIMIT = 2000 -- milliseconds

local find, byte, sub = string.find, string.byte, string.sub
local QUOTE, COMMA, COLON, OPEN, CLOSE, OPEN_LIST, CLOSE_LIST = byte('",:{}[]', 1, 7)
local BACKSLASH = byte("\\")
local ESCAPES = { b = "\b", f = "\f", n = "\n", r = "\r", t = "\t" }

local owners = {} -- credential -> { address, when it is forgotten }

-- A plain search runs over long texts several times faster than one for a set of characters.
local function string_end(text, at)
  local stop = at
  while true do
    stop = find(text, '"', stop + 1, true)
    if not stop then return #text end
    local before = stop - 1
    while byte(text, before) == BACKSLASH do before = before - 1 end
    if (stop - before) % 2 == 1 then return stop end
  end
end

local function unescape(letter, digits)
  if letter ~= "u" then return (ESCAPES[letter] or letter) .. digits end
  local code = tonumber(digits, 16)
  return code and code < 128 and string.char(code) or "?" -- no name or value of ours has others
end

local function unquote(text)
  local inner = sub(text, 2, -2)
  if not find(inner, "\\", 1, true) then return inner end
  return (inner:gsub("\\(.)(%x?%x?%x?%x?)", unescape))
end

-- Where the values of the outermost object stand: name -> { first, last }; the last of equal names counts.
local function members(text)
  local found, depth, position, name, first = {}, 0, 1, nil, nil
  while true do
    local at = find(text, '[",:{}%[%]]', position)
    if not at then return found end
    local kind = byte(text, at)
    position = at + 1
    if kind == QUOTE then
      local stop = string_end(text, at)
      if depth == 1 and not name then name = unquote(sub(text, at, stop)) end
      position = stop + 1
    elseif kind == OPEN or kind == OPEN_LIST then
      depth = depth + 1
    elseif kind == COLON and depth == 1 then
      first = find(text, "%S", position)
    else
      if depth == 1 and name and (kind == COMMA or kind == CLOSE) then
        local last = at - 1
        while find(text, "^%s", last) do last = last - 1 end
        found[name] = { first, last }
        name = nil
      end
      if kind == CLOSE or kind == CLOSE_LIST then depth = depth - 1 end
    end
  end
end

-- The value of a member as a string; nil where it is absent or no string.
local function text_of(text, place)
  if not place or byte(text, place[1]) ~= QUOTE then return nil end
  return unquote(sub(text, place[1], string_end(text, place[1])))
end

local function is_missing(text, place)
  if not place or find(text, "^null", place[1]) then return true end
  if not find(text, '^"%s*["\\]', place[1]) then return false end
  return not find(text_of(text, place), "%S") -- empty, blank, or it begins with an escape
end

local function with_sender(text, place, address)
  local value = '"' .. address .. '"'
  if place then return sub(text, 1, place[1] - 1) .. value .. sub(text, place[2] + 1) end
  local opening = find(text, "{", 1, true)
  return sub(text, 1, opening) .. '"sender": ' .. value .. ", " .. sub(text, opening + 1)
end

local function look_up(handle, target, credential)
  local headers, body = handle:httpCall("upstream", {
    [":method"] = "GET", [":path"] = target, [":authority"] = "upstream", ["authorization"] = credential,
  }, nil, LOOK_UP_LIMIT)
  if headers[":status"] ~= "200" then return nil end
  return body, members(body)
end

local function owner(handle, credential)
  local known = owners[credential]
  if known and known[2] > os.time() then return known[1] end
  local body, found = look_up(handle, "/api/v1/me/?_fields=id,email", credential)
  local address = body and text_of(body, found.email)
  if address then owners[credential] = { address, os.time() + TTL } end
  return address
end

local function reject(handle)
  handle:respond({ [":status"] = "400", ["content-type"] = "application/json" }, REJECTION)
end

local function judge_create(handle, text, found, credential)
  local status = text_of(text, found.status)
  if status == "sent" then
    local address = owner(handle, credential)
    if address then handle:body():setBytes(with_sender(text, found.sender, address)) end
  elseif NEEDS_SENDER[status] then
    reject(handle)
  end
end

local function judge_update(handle, path, text, found, credential)
  if not SENDS[text_of(text, found.status)] then return end
  local body, stored = look_up(handle, path .. "?_fields=id,sender", credential)
  if body and is_missing(body, stored.sender) then reject(handle) end
end

function envoy_on_request(handle)
  local headers = handle:headers()
  local path, method = headers:get(":path"), headers:get(":method")
  if sub(path, 1, #EMAILS) ~= EMAILS or (method ~= "POST" and method ~= "PUT" and method ~= "PATCH") then return end
  local credential = headers:get("authorization") or ""
  local buffer = handle:body() -- may wait, after which `headers` is no longer valid
  if not buffer then return end
  local text = buffer:getBytes(0, buffer:length())
  local found = members(text)
  if not is_missing(text, found.sender) then return end
  path = path:match("^[^?]*")
  if method ~= "POST" then
    judge_update(handle, path, text, found, credential)
  elseif path == EMAILS then
    judge_create(handle, text, found, credential)
  end
end
