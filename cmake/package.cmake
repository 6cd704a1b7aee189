# The Debian package: scripts/package. What it installs is what `cmake --install` does, the manual and completions added.
find_program(GZIP gzip REQUIRED)
set(generated ${CMAKE_CURRENT_BINARY_DIR}/generated)

# From the commands' own descriptions.
set(manual)
foreach(page chargifyctl.1 chargifyd.8)
  get_filename_component(program ${page} NAME_WE)
  add_custom_command(OUTPUT ${generated}/${page}.gz
    COMMAND ${CMAKE_COMMAND} -E make_directory ${generated}
    COMMAND $<TARGET_FILE:chargifyctl> man ${program} > ${generated}/${page}
    COMMAND ${GZIP} --best --no-name --force ${generated}/${page}
    DEPENDS chargifyctl VERBATIM)
  list(APPEND manual ${generated}/${page}.gz)
endforeach()
foreach(shell bash zsh fish)
  add_custom_command(OUTPUT ${generated}/completion.${shell}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${generated}
    COMMAND $<TARGET_FILE:chargifyctl> completion ${shell} > ${generated}/completion.${shell}
    DEPENDS chargifyctl VERBATIM)
  list(APPEND manual ${generated}/completion.${shell})
endforeach()
# Debian wants its own change log, compressed.
file(GENERATE OUTPUT ${generated}/changelog.Debian CONTENT
  "chargifyd (${PROJECT_VERSION}) stable; urgency=medium\n\n  * Release ${PROJECT_VERSION}.\n\n -- The chargifyd authors <authors@chargifyd.invalid>  Thu, 01 Jan 2026 00:00:00 +0000\n")
add_custom_command(OUTPUT ${generated}/changelog.gz
  COMMAND ${GZIP} --best --no-name --stdout ${generated}/changelog.Debian > ${generated}/changelog.gz
  DEPENDS ${generated}/changelog.Debian VERBATIM)
add_custom_target(manual ALL DEPENDS ${manual} ${generated}/changelog.gz)

install(FILES ${generated}/chargifyctl.1.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${generated}/chargifyd.8.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man8)
install(FILES ${generated}/completion.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions
  RENAME chargifyctl)
install(FILES ${generated}/completion.zsh DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions RENAME _chargifyctl)
install(FILES ${generated}/completion.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d
  RENAME chargifyctl.fish)
install(FILES ${generated}/changelog.gz DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES packaging/debian/copyright DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY config/prometheus config/grafana DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME chargifyd)
set(CPACK_PACKAGE_CONTACT "The chargifyd authors <authors@chargifyd.invalid>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "adduser, systemd | systemd-standalone-sysusers")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "sqlite3")
# CPack puts a space before each line of what follows the synopsis.
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "durable receiver of Chargify webhooks")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
"Receives the webhooks of Chargify (Maxio Advanced Billing), proves that they
are genuine, keeps every one on disk before it answers, and maintains an
SQLite file of all subscriptions that any program can query.")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
  ${PROJECT_SOURCE_DIR}/packaging/debian/postinst ${PROJECT_SOURCE_DIR}/packaging/debian/prerm
  ${PROJECT_SOURCE_DIR}/packaging/debian/postrm ${PROJECT_SOURCE_DIR}/packaging/debian/conffiles)
include(CPack)
