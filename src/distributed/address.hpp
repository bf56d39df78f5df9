#pragma once

#include <string>

namespace afterspike::distributed {

/// The name of this machine.
std::string host_name();

/// The IP address of a host by which this machine reaches it. Throws Error(usage) when the name is
/// not known here.
std::string address_of(const std::string& host);

/// The IP address of this machine on the way to another; 127.0.0.1 where there is no way.
std::string address_towards(const std::string& address);

/// An address by which only the machine itself reaches itself.
bool is_loopback(const std::string& address);

}  // namespace afterspike::distributed
