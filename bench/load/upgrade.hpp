#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace carillon::bench {

// What every client of a bench upgrades with: the example of RFC 6455 1.3, and what it must be answered with.
inline constexpr std::string_view kUpgradeFields =
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
inline constexpr std::string_view kUpgradeAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
// Of RFC 6455 5.7. Nobody is between a bench and its server whom an unpredictable one would keep from harm.
inline constexpr std::array<std::uint8_t, 4> kMask = {0x37, 0xFA, 0x21, 0x3D};

}  // namespace carillon::bench
