#!/bin/sh
# A C compiler whose last flags win over those of the build: FASTNN_CHECK_FLAGS, say "-fsanitize=address".
exec ${FASTNN_CHECK_CC:-gcc} "$@" -O1 -g -fno-wrapv -fno-omit-frame-pointer $FASTNN_CHECK_FLAGS
