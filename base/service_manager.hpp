#pragma once

#include <string_view>

namespace connectord {

/// Tells the service manager that started us, if it asked to be told, what has become of us: "READY=1",
/// "STOPPING=1" (sd_notify(3), the datagram protocol of NOTIFY_SOCKET). Whether it hears is its own affair.
void tell_service_manager(std::string_view state) noexcept;

}  // namespace connectord
