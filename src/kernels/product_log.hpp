#pragma once

#include "afterspike/kernels/products.hpp"

namespace afterspike::kernels {

/// True while a ProductLog lives on the calling thread.
bool products_are_logged() noexcept;

/// Notes a product where there is a log.
void log_product(const Product& product);

}  // namespace afterspike::kernels
