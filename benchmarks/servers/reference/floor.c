/* The floor: the least a server can do that hands lines on.
 *
 *   floor PORT each    each line goes to each member of its room at once: one send a copy
 *   floor PORT batch   all that one turn of the loop read is joined: one send a member and turn
 *
 * It speaks a part of the chat room's plain text (see __init__.py) and stores nothing. What a
 * member can't take at once waits in memory without a limit, which only a benchmark may do.
 */
#define _GNU_SOURCE /* accept4 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { NAME = 32, TURN = 1024, READ = 65536 };

struct bytes { char *at; size_t length, room; };
struct client { int fd; size_t place; char name[NAME]; struct room *in; struct bytes rest, out; };
struct room { char name[NAME]; struct client **members; size_t count, space; struct bytes said; struct room *next; };

static struct room *rooms;
static int epoll, batching;

static void *need(void *memory) {
    if (!memory) { perror("memory"); exit(1); }
    return memory;
}

static void append(struct bytes *to, const char *data, size_t length) {
    if (to->length + length > to->room) {
        to->room = 2 * to->room + length;
        to->at = need(realloc(to->at, to->room));
    }
    memcpy(to->at + to->length, data, length);
    to->length += length;
}

static void release(struct bytes *of) { free(of->at); memset(of, 0, sizeof *of); }

static void watch(struct client *c, int operation, unsigned events) {
    struct epoll_event event = { .events = events, .data.ptr = c };
    epoll_ctl(epoll, operation, c->fd, &event);
}

static void send_to(struct client *c, const char *data, size_t length) {
    ssize_t sent = 0;
    if (!c->out.length) {
        sent = send(c->fd, data, length, MSG_NOSIGNAL);
        if (sent < 0) sent = errno == EAGAIN ? 0 : (ssize_t)length; /* a broken one is noticed when it is read */
        if ((size_t)sent < length) watch(c, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
    }
    append(&c->out, data + sent, length - sent);
}

static void send_rest(struct client *c) {
    ssize_t sent = send(c->fd, c->out.at, c->out.length, MSG_NOSIGNAL);
    if (sent <= 0) return;
    memmove(c->out.at, c->out.at + sent, c->out.length -= sent);
    if (!c->out.length) { release(&c->out); watch(c, EPOLL_CTL_MOD, EPOLLIN); }
}

static void flush(struct room *r) {
    for (size_t n = 0; n < r->count; n++) send_to(r->members[n], r->said.at, r->said.length);
    r->said.length = 0;
}

static void leave(struct client *c) {
    struct room *r = c->in;
    if (!r) return;
    r->members[c->place] = r->members[--r->count];
    r->members[c->place]->place = c->place;
    c->in = NULL;
}

static void enter(struct client *c, const char *name) {
    struct room *r = rooms;
    while (r && strcmp(r->name, name)) r = r->next;
    if (!r) {
        r = need(calloc(1, sizeof *r));
        snprintf(r->name, NAME, "%s", name);
        r->next = rooms;
        rooms = r;
    }
    leave(c);
    if (r->count == r->space) {
        r->space = 2 * r->space + 4;
        r->members = need(realloc(r->members, r->space * sizeof *r->members));
    }
    c->in = r;
    c->place = r->count;
    r->members[r->count++] = c;
}

static void take_line(struct client *c, char *text) {
    static char shown[READ + 2 * NAME];
    int length;
    if (!c->in) {
        snprintf(c->name, NAME, "%s", text);
        enter(c, "lobby");
        length = snprintf(shown, sizeof shown, "*** You are %s, in #lobby\r\n", c->name);
        send_to(c, shown, length);
    } else if (!strncmp(text, "/join #", 7)) {
        enter(c, text + 7);
        length = snprintf(shown, sizeof shown, "*** You are in #%s with others\r\n", c->in->name);
        send_to(c, shown, length);
    } else {
        time_t now = time(NULL) % 86400;
        length = snprintf(shown, sizeof shown, "[%02d:%02d:%02d] %s: %s\r\n", (int)(now / 3600),
                          (int)(now / 60 % 60), (int)(now % 60), c->name, text);
        append(&c->in->said, shown, length);
        if (!batching) flush(c->in);
    }
}

static void gone(struct client *c) {
    leave(c);
    close(c->fd);
    release(&c->rest);
    release(&c->out);
    free(c);
}

static void take(struct client *c) {
    static char data[READ];
    ssize_t count = recv(c->fd, data, READ, 0);
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) { gone(c); return; }
    append(&c->rest, data, count);
    char *at = c->rest.at, *all_end = at + c->rest.length, *end;
    while ((end = memchr(at, '\n', all_end - at))) {
        *end = 0;
        if (end > at && end[-1] == '\r') end[-1] = 0;
        take_line(c, at);
        at = end + 1;
    }
    memmove(c->rest.at, at, c->rest.length = all_end - at);
    if (!c->rest.length) release(&c->rest);
}

static void take_new(int listening) {
    int fd, yes = 1;
    while ((fd = accept4(listening, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        struct client *c = need(calloc(1, sizeof *c));
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        c->fd = fd;
        watch(c, EPOLL_CTL_ADD, EPOLLIN);
    }
}

int main(int count, char **arguments) {
    struct sockaddr_in here = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct epoll_event events[TURN], listen_event = { .events = EPOLLIN };
    struct rlimit files;
    int yes = 1, listening = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (count != 3) return 2;
    batching = !strcmp(arguments[2], "batch");
    here.sin_port = htons(atoi(arguments[1]));
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    setsockopt(listening, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listening, (struct sockaddr *)&here, sizeof here) || listen(listening, 4096)) { perror("listen"); return 1; }
    epoll = epoll_create1(0);
    epoll_ctl(epoll, EPOLL_CTL_ADD, listening, &listen_event);
    for (;;) {
        int ready = epoll_wait(epoll, events, TURN, -1);
        for (int n = 0; n < ready; n++) {
            struct client *c = events[n].data.ptr;
            if (!c) { take_new(listening); continue; }
            if (events[n].events & EPOLLOUT) send_rest(c);
            if (events[n].events & ~EPOLLOUT) take(c);
        }
        for (struct room *r = batching ? rooms : NULL; r; r = r->next)
            if (r->said.length) flush(r);
    }
}
