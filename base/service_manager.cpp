#include "base/service_manager.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>

namespace connectord {

void tell_service_manager(std::string_view state) noexcept {
  const char* where = std::getenv("NOTIFY_SOCKET");
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  if (where == nullptr || (where[0] != '/' && where[0] != '@') || std::strlen(where) >= sizeof to.sun_path)
    return;
  std::strcpy(to.sun_path, where);
  if (where[0] == '@') to.sun_path[0] = '\0';  // a name of its own, not in the file system
  const int s = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (s < 0) return;
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + std::strlen(where));
  ::sendto(s, state.data(), state.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&to), size);
  ::close(s);
}

}  // namespace connectord
