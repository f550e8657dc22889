/* SPDX-License-Identifier: ISC */
/*
 * An RPC server on libtirpc as inetd's servers are: its descriptor 0 is a datagram socket, a listening one, or a
 * connection. usage: rpc_server PROGRAM LOWEST HIGHEST [stay]. Procedure 1 returns version and process id.
 * It ends when nobody has asked for eight seconds, unless it is to stay.
 */
#include "config.h"

#include <netinet/in.h>
#include <rpc/rpc.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static bool stays;

static void on_alarm(int signo)
{
	(void)signo;
	_exit(0);
}

static bool_t xdr_nothing(XDR *xdrs, ...)
{
	(void)xdrs;
	return TRUE;
}

static bool_t xdr_answer(XDR *xdrs, ...)
{
	va_list args;
	u_int *answer;

	va_start(args, xdrs);
	answer = va_arg(args, u_int *);
	va_end(args);
	return xdr_u_int(xdrs, &answer[0]) && xdr_u_int(xdrs, &answer[1]);
}

static void dispatch(struct svc_req *request, SVCXPRT *transport)
{
	u_int answer[2] = { (u_int)request->rq_vers, (u_int)getpid() };

	if (!stays)
		(void)alarm(8);
	if (request->rq_proc == NULLPROC)
		(void)svc_sendreply(transport, xdr_nothing, NULL);
	else if (request->rq_proc == 1)
		(void)svc_sendreply(transport, xdr_answer, (char *)answer);
	else
		svcerr_noproc(transport);
}

int main(int argc, char **argv)
{
	int type = 0, listens = 0;
	socklen_t size = sizeof(int);
	SVCXPRT *transport;

	if (argc < 4 || getsockopt(0, SOL_SOCKET, SO_TYPE, &type, &size) < 0)
		return 2;
	size = sizeof(int);
	(void)getsockopt(0, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size);
	stays = argc > 4;
	(void)signal(SIGALRM, on_alarm);
	(void)alarm(stays ? 600 : 10);
	if (type == SOCK_DGRAM)
		transport = svc_dg_create(0, 0, 0);
	else
		transport = listens ? svc_vc_create(0, 0, 0) : svc_fd_create(0, 0, 0);
	if (!transport)
		return 3;
	for (long v = atol(argv[2]); v <= atol(argv[3]); v++)
		if (!svc_reg(transport, (rpcprog_t)atol(argv[1]), (rpcvers_t)v, dispatch, NULL))
			return 4;
	svc_run();
	return 0;
}
