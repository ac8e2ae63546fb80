/* SPDX-License-Identifier: ISC */
#include "confine_wire.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys/sandbox.h"

#define SMTP_PORT 25
#define DOMAIN_PORT 53

/* What the resolver reads, by itself or by a module of nsswitch.conf(5). */
static const char *const resolver[] = {
    "/etc/gai.conf",
    "/etc/host.conf",
    "/etc/services",
    "/etc/protocols",
    "/etc/networks",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/usr/etc",
    "/run/systemd/resolve",
    "/run/systemd/machines",
    "/run/resolvconf",
    "/run/NetworkManager",
    "/run/nscd",
    "/var/lib/sss/mc",
    "/var/lib/libvirt/dnsmasq",
    "/etc/mdns.allow",
    /* modules and what they need; nix's and guix's are there too */
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/usr/local/lib",
    "/nix/store",
    "/gnu/store",
    "/dev/null",
    "/dev/urandom",
    "/dev/random",
    "/proc/sys/crypto",
    "/sys/devices/system/cpu",
};

/* Those that are replaced while the system runs. */
static const char *const replaced[WIRE_REPLACED] = {
    "/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf"};

/* Beside those that OpenSSL names itself. */
static const char *const certificates[] = {"/usr/share/ca-certificates",
    "/usr/local/share/ca-certificates", "/etc/ca-certificates", "/etc/pki", "/etc/crypto-policies",
    "/usr/share/crypto-policies"};

static void
read_all(struct sandbox *b, const char *const *path, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sandbox_allow(b, path[i], SANDBOX_READ);
}

/*
 * A file that is a link out of /etc is written anew in a directory of its own, and the next one is
 * to be read as well.
 */
static void
read_replaced(struct sandbox *b, const char *path)
{
	char real[PATH_MAX], *slash;

	sandbox_allow(b, path, SANDBOX_READ);
	if (realpath(path, real) == NULL || (slash = strrchr(real, '/')) == NULL)
		return;
	*slash = '\0';
	if (strcmp(real, "/etc") != 0)
		sandbox_allow(b, real, SANDBOX_READ);
}

/* Where the links of a directory of certificates lead to; many go the same way. */
static void
read_targets(struct sandbox *b, const char *path)
{
	char target[PATH_MAX], last[PATH_MAX] = "", *slash;
	DIR *dir = *path != '\0' ? opendir(path) : NULL;
	const struct dirent *e;

	while (dir != NULL && (e = readdir(dir)) != NULL) {
		ssize_t n = e->d_type != DT_LNK
				? -1
				: readlinkat(dirfd(dir), e->d_name, target, sizeof(target) - 1);
		if (n <= 0 || target[0] != '/')
			continue;
		target[n] = '\0';
		slash = strrchr(target, '/');
		*slash = '\0';
		if (strcmp(target, last) == 0)
			continue;
		sandbox_allow(b, target, SANDBOX_READ);
		snprintf(last, sizeof(last), "%s", target);
	}
	if (dir != NULL)
		closedir(dir);
}

static void
read_certificates(void *arg, const char *path)
{
	sandbox_allow(arg, path, SANDBOX_READ);
	read_targets(arg, path);
}

static void
allow_files(struct sandbox *b, const struct wire *w)
{
	read_all(b, resolver, sizeof(resolver) / sizeof(resolver[0]));
	for (size_t i = 0; i < WIRE_REPLACED; i++)
		read_replaced(b, replaced[i]);
	if (w->tls == NULL)
		return;
	read_all(b, certificates, sizeof(certificates) / sizeof(certificates[0]));
	tls_each_path(read_certificates, b);
	read_certificates(b, w->settings.tls_ca_path);
}

/* DNS says the port of servers that SRV records name. */
static bool
any_port(const struct wire_route *route)
{
	for (size_t i = 0; i < route->nhops; i++)
		if (route->hop[i].relay != NULL && route->hop[i].relay->lookup == RELAY_LOOKUP_SRV)
			return true;
	return false;
}

/* A probe tries submission's ports too, where port 25 says nothing. */
static void
allow_port(struct sandbox *b, uint16_t port)
{
	sandbox_port(b, port);
	if (port != SMTP_PORT)
		return;
	sandbox_port(b, 465);
	sandbox_port(b, 587);
}

/* Through a proxy goes all that is not on this machine for sure, as path.c has it. */
static void
allow_route(struct sandbox *b, const struct wire *w, const struct wire_route *route)
{
	for (size_t i = 0; i < route->nhops; i++) {
		const struct relay *relay = route->hop[i].relay;

		if (relay != NULL && relay->path[0] != '\0')
			continue;
		if (w->proxy.host[0] == '\0' || (relay != NULL && route_local(relay)))
			allow_port(b, relay != NULL ? relay->port : SMTP_PORT);
	}
}

static bool
out_of_reach(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd != -1)
		close(fd);
	return fd == -1 && errno == EACCES;
}

void
confine_wire(struct wire *w)
{
	bool any = any_port(&w->direct);
	struct sandbox b;

	if (w->settings.smtp_sandbox == SANDBOX_OFF)
		return;
	for (size_t i = 0; i < w->nroutes; i++)
		any = any || any_port(&w->routes[i]);
	sandbox_begin(&b, SANDBOX_WIRE, any);
	allow_files(&b, w);
	sandbox_port(&b, DOMAIN_PORT);
	if (w->nsources > 0)
		sandbox_port(&b, 0);
	if (w->proxy.host[0] != '\0')
		sandbox_port(&b, w->proxy.port);
	allow_route(&b, w, &w->direct);
	for (size_t i = 0; i < w->nroutes; i++)
		allow_route(&b, w, &w->routes[i]);
	sandbox_enter(&b, w->settings.smtp_sandbox == SANDBOX_KILL);
	for (size_t i = 0; i < WIRE_REPLACED; i++)
		w->readable[i] = !out_of_reach(replaced[i]);
}

bool
confine_wire_stale(const struct wire *w)
{
	bool stale = false;

	for (size_t i = 0; i < WIRE_REPLACED; i++)
		stale = stale || (w->readable[i] && out_of_reach(replaced[i]));
	return stale;
}
