/* SPDX-License-Identifier: ISC */
/* The words that attributes take, as numbers: yes/no, sizes, limits, flags, facilities. */
#pragma once

#include <stddef.h>

/*
 * Every function reads one word (letters without regard to case where
 * xinetd.conf(5) allows it), sets *@ret and returns 0; or returns -EINVAL or
 * -ERANGE with *@why set to a static sentence that says what to write.
 */
typedef int value_fn(const char *word, long *ret, const char **why);

value_fn value_yes_no;        /* yes, no */
value_fn value_wait;          /* yes, no; also wait, nowait */
value_fn value_socket_type;   /* stream, dgram, raw, seqpacket: SOCK_STREAM … */
value_fn value_service_type;  /* RPC, INTERNAL …: one enum service_type bit */
value_fn value_flag;          /* REUSE, SENSOR …: one enum service_flag bit */
value_fn value_log_success;   /* PID, HOST …: one enum log_option bit */
value_fn value_log_failure;   /* HOST, USERID, ATTEMPT: one enum log_option bit */
value_fn value_overload;      /* refuse (0), queue (1) */
value_fn value_count;         /* 0 and up, or UNLIMITED */
value_fn value_number;        /* 0 and up */
value_fn value_positive;      /* 1 and up */
value_fn value_nice;          /* -39 to 39 */
value_fn value_umask;         /* octal, 0 to 0777 */
value_fn value_minutes;       /* deny_time: FOREVER (UNLIMITED), NEVER (0), or minutes */
value_fn value_size;          /* bytes with an optional suffix k, m or g */
value_fn value_rlimit_size;   /* the same, or UNLIMITED (-1) */
value_fn value_rlimit_files;  /* a number that may have a suffix as a size has, or UNLIMITED (-1) */
value_fn value_rlimit_number; /* a number, or UNLIMITED (-1) */
value_fn value_facility;      /* syslog facility: LOG_DAEMON … */
value_fn value_level;         /* syslog level: LOG_INFO … */

/*
 * The name of a single bit or value of the tables above, in xinetd's spelling;
 * NULL when there is none.
 */
const char *value_name_socket_type(int socktype);
const char *value_name_service_type(unsigned bit);
const char *value_name_flag(unsigned bit);
const char *value_name_log_option(unsigned bit);
const char *value_name_facility(int facility);
const char *value_name_level(int level);
