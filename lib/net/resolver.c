/* SPDX-License-Identifier: ISC */
#include "net/resolver.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define STACK (512U * 1024) /* octets of a thread's; getaddrinfo has large frames */

struct lookups {
	struct lookup *first, **last;
};

struct resolver {
	int fd; /* eventfd: answers that wait */
	pthread_mutex_t mutex;
	pthread_cond_t asked;
	struct lookups questions, answers;
	unsigned waiting; /* questions that no thread has taken */
	unsigned threads, idle;
};

static void
put(struct lookups *q, struct lookup *l)
{
	l->next = NULL;
	*q->last = l;
	q->last = &l->next;
}

static struct lookup *
get(struct lookups *q)
{
	struct lookup *l = q->first;

	if (l != NULL && (q->first = l->next) == NULL)
		q->last = &q->first;
	return l;
}

/* With the mutex held. */
static void
answer(struct resolver *r, struct lookup *l)
{
	uint64_t one = 1;

	put(&r->answers, l);
	/* fails only at 2^64 - 1 answers */
	if (write(r->fd, &one, sizeof(one)) == -1)
		return;
}

static void *
worker(void *arg)
{
	struct resolver *r = arg;

	pthread_mutex_lock(&r->mutex);
	for (;;) {
		struct lookup *l = get(&r->questions);

		if (l == NULL) {
			r->idle++;
			pthread_cond_wait(&r->asked, &r->mutex);
			r->idle--;
			continue;
		}
		r->waiting--;
		if (l->owner != NULL) {
			pthread_mutex_unlock(&r->mutex);
			resolve(l);
			pthread_mutex_lock(&r->mutex);
		}
		answer(r, l);
	}
	return NULL;
}

/* One more thread. 0, or an errno. With the mutex held, or before anybody else could hold it. */
static int
start_worker(struct resolver *r)
{
	pthread_attr_t attr;
	pthread_t thread;
	int error;

	if ((error = pthread_attr_init(&attr)) != 0)
		return error;
	pthread_attr_setstacksize(&attr, STACK);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	error = pthread_create(&thread, &attr, worker, r);
	pthread_attr_destroy(&attr);
	r->threads += error == 0;
	return error;
}

/* Where no thread can be had for it, the question waits until one of those there are is free. */
static void
question(struct resolver *r, struct lookup *l)
{
	put(&r->questions, l);
	if (++r->waiting > r->idle && r->threads < RESOLVER_THREADS)
		start_worker(r);
	pthread_cond_signal(&r->asked);
}

struct resolver *
resolver_new(void)
{
	struct resolver *r = calloc(1, sizeof(*r));
	int error;

	if (r == NULL)
		return NULL;
	pthread_mutex_init(&r->mutex, NULL);
	pthread_cond_init(&r->asked, NULL);
	r->questions.last = &r->questions.first;
	r->answers.last = &r->answers.first;
	r->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	error = r->fd == -1 ? errno : start_worker(r);
	if (error == 0)
		return r;
	if (r->fd != -1)
		close(r->fd);
	free(r);
	errno = error;
	return NULL;
}

int
resolver_fd(const struct resolver *r)
{
	return r->fd;
}

struct lookup *
resolver_ask(struct resolver *r, enum lookup_type type, const char *name, uint16_t port,
    bool implicit, bool dane, void *owner)
{
	struct lookup *l;

	if (strlen(name) >= sizeof(l->name) || (l = calloc(1, sizeof(*l))) == NULL)
		return NULL;
	l->type = type;
	snprintf(l->name, sizeof(l->name), "%s", name);
	l->port = port;
	l->implicit = implicit;
	l->dane = dane;
	l->owner = owner;
	pthread_mutex_lock(&r->mutex);
	if (resolve_literal(l))
		answer(r, l);
	else
		question(r, l);
	pthread_mutex_unlock(&r->mutex);
	return l;
}

void
resolver_forget(struct resolver *r, struct lookup *l)
{
	pthread_mutex_lock(&r->mutex);
	l->owner = NULL;
	pthread_mutex_unlock(&r->mutex);
}

struct lookup *
resolver_take(struct resolver *r)
{
	struct lookup *l;
	uint64_t n;

	for (;;) {
		pthread_mutex_lock(&r->mutex);
		l = get(&r->answers);
		if (l == NULL && read(r->fd, &n, sizeof(n)) == -1)
			n = 0;
		pthread_mutex_unlock(&r->mutex);
		if (l == NULL || l->owner != NULL)
			return l;
		free(l);
	}
}
