#pragma once

#include <string>

namespace afterspike::train {

/// Returns the name of this machine.
std::string host_name();

/// Returns the IP address of a host by which this machine reaches it. Throws Error(usage) if the
/// name is unknown here.
std::string address_of(const std::string& host);

/// Returns the IP address of this machine on the route to another; 127.0.0.1 if there is no route.
std::string address_towards(const std::string& address);

/// Returns whether an address reaches only the machine itself.
bool is_loopback(const std::string& address);

}  // namespace afterspike::train
