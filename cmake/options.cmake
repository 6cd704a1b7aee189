# What every target of this project is compiled with. Third parties never link chargifyd_options.
add_library(chargifyd_options INTERFACE)
target_compile_features(chargifyd_options INTERFACE cxx_std_20)
target_include_directories(chargifyd_options INTERFACE ${PROJECT_SOURCE_DIR}/include)
target_compile_options(chargifyd_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Wold-style-cast -Wcast-qual
  -Woverloaded-virtual -Wimplicit-fallthrough -Wundef
  $<$<CXX_COMPILER_ID:GNU>:-Wlogical-op -Wduplicated-cond>
  $<$<BOOL:${CHARGIFYD_WERROR}>:-Werror>)
target_compile_definitions(chargifyd_options INTERFACE
  CHARGIFYD_VERSION="${PROJECT_VERSION}"
  BOOST_ASIO_NO_DEPRECATED
  # Nothing here is aligned beyond what operator new gives, and the aligned allocation of the C library knows no cache
  # for a thread: it takes a microsecond where operator new takes some nanoseconds.
  BOOST_ASIO_DISABLE_STD_ALIGNED_ALLOC
  BOOST_ASIO_DISABLE_BOOST_ALIGN
  $<$<CONFIG:Debug>:_GLIBCXX_ASSERTIONS>)

if(CHARGIFYD_SANITIZE)
  target_compile_options(chargifyd_options INTERFACE -fsanitize=${CHARGIFYD_SANITIZE} -fno-omit-frame-pointer)
  target_link_options(chargifyd_options INTERFACE -fsanitize=${CHARGIFYD_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
    # GCC sees uninitialised members of std::regex in the instrumented code. The dev preset keeps the warning.
    target_compile_options(chargifyd_options INTERFACE -Wno-maybe-uninitialized)
  endif()
  if(CHARGIFYD_SANITIZE STREQUAL thread AND CMAKE_CXX_COMPILER_ID STREQUAL GNU)
    # GCC warns that it does not model the fences inside Asio; nothing here depends on them for its order.
    target_compile_options(chargifyd_options INTERFACE -Wno-tsan)
  endif()
else()
  # Hardening that costs next to nothing on the paths that matter.
  target_compile_options(chargifyd_options INTERFACE -fstack-protector-strong -fstack-clash-protection -fcf-protection
    $<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2>)
  target_link_options(chargifyd_options INTERFACE -Wl,-z,relro,-z,now)
endif()
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

# chargifyd_room(<room> SOURCES ... [USES rooms and third parties ...] [PRIVATE third parties ...])
# One static library per room. Which rooms may stand in USES is decided by tests/layering.py.
function(chargifyd_room room)
  cmake_parse_arguments(ROOM "" "" "SOURCES;USES;PRIVATE" ${ARGN})
  add_library(chargifyd_${room} STATIC ${ROOM_SOURCES})
  add_library(chargifyd::${room} ALIAS chargifyd_${room})
  target_link_libraries(chargifyd_${room} PUBLIC ${ROOM_USES} PRIVATE chargifyd_options ${ROOM_PRIVATE})
  target_include_directories(chargifyd_${room} PRIVATE ${PROJECT_SOURCE_DIR}/src)
endfunction()
