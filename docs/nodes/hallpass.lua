-- haproxy.cfg, in this folder, calls this action to ask the guard about a request.
-- The action sets txn.hp_status, and on 200 a variable for each identity header.
local copied = { "account-id", "account", "org-id", "role", "token-id", "subject" }

core.register_action("hallpass", { "http-req" }, function(txn, url)
	local function set(name, value) txn:set_var("txn.hp_" .. name, value) end
	local headers = txn.http:req_get_headers()
	local credential = headers["authorization"]
	set("challenge", 'Bearer realm="hallpass"')
	if credential and credential[1] then -- two headers: refuse the request, choose neither
		set("status", 401)
		return
	end
	local ok, answer = pcall(function()
		return core.httpclient():get {
			url = url, timeout = 2000,
			headers = {
				["x-forwarded-for"] = { tostring(txn.f:src()) },
				["authorization"] = credential and { credential[0] } or nil,
				["user-agent"] = headers["user-agent"] and { headers["user-agent"][0] } or nil,
			},
		}
	end)
	if not ok or not answer or (answer.status or 0) == 0 then
		set("status", 503)
		return
	end
	local function one(name)
		local values = answer.headers[name]
		return values and values[0]
	end
	for _, name in ipairs(copied) do
		set((name:gsub("-", "_")), one("x-hallpass-" .. name) or "-")
	end
	set("challenge", one("www-authenticate") or 'Bearer realm="hallpass"')
	set("status", answer.status)
end, 1)
