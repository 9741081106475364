#include "app/version.hpp"

namespace carillon::app {

std::string_view version() {
  return CARILLON_VERSION;
}

}  // namespace carillon::app
