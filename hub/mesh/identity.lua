-- One identity, of a workload: what Envoy's own validation of a certificate leaves out, looked at once for each certificate.
-- X509-SVID: exactly one URI name (section 2), and a leaf is no authority (section 4.1).
local MOST, seen, verdicts = 2000, 0, {}
local DIGITS = {}
for place = 1, 64 do
  DIGITS[string.byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", place)] = place - 1
end

local function bytes_of(pem)
  local text = pem:gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end)
  text = text:match("%-%-%-%-%-BEGIN CERTIFICATE%-%-%-%-%-(.-)%-%-%-%-%-END") or ""
  local found, held, bits = {}, 0, 0
  for place = 1, #text do
    local digit = DIGITS[text:byte(place)]
    if digit then
      held, bits = held * 64 + digit, bits + 6
      if bits >= 8 then
        bits = bits - 8
        local power = 2 ^ bits
        found[#found + 1] = string.char(math.floor(held / power))
        held = held % power
      end
    end
  end
  return table.concat(found)
end

-- basicConstraints (2.5.29.19), critical or not, whose value begins with the boolean TRUE: cA.
local function authority(der)
  local at = 0
  while true do
    at = select(2, der:find("\6\3\85\29\19", at + 1, true))
    if not at then return false end
    local value = der:sub(at + 1, at + 16)
    if value:find("^\1\1\255\4.\48.\1\1\255") or value:find("^\4.\48.\1\1\255") then return true end
  end
end

local function judged(tls)
  if #tls:uriSanPeerCertificate() ~= 1 then return "SEVERAL_IDENTITIES" end
  local der = bytes_of(tls:urlEncodedPemEncodedPeerCertificate())
  if #der == 0 then return "CERTIFICATE_UNREADABLE" end
  if authority(der) then return "CERTIFICATE_OF_AN_AUTHORITY" end
  return ""
end

function envoy_on_request(handle)
  local tls = handle:streamInfo():downstreamSslConnection()
  local certificate = tls and tls:sha256PeerCertificateDigest() or ""
  local verdict = verdicts[certificate]
  if not verdict then
    verdict = tls and judged(tls) or "CERTIFICATE_UNREADABLE"
    if seen >= MOST then seen, verdicts = 0, {} end
    seen, verdicts[certificate] = seen + 1, verdict
  end
  if verdict ~= "" then
    handle:streamInfo():dynamicMetadata():set("metip.identity", "refused", verdict)
    handle:respond({[":status"] = "401"}, verdict)
  end
end
