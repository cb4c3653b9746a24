/*
 * The limit of one system call a frame: what comes by one TAP is written to the other, and nothing is looked at.
 * It makes the TAPs named by its two arguments, with virtio-net headers and offloads.
 */
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define BURST 32

static char frame[1 << 17];

static int open_tap(const char *name)
{
    struct ifreq request;
    int header = 12;
    int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK);

    memset(&request, 0, sizeof request);
    strncpy(request.ifr_name, name, IFNAMSIZ - 1);
    request.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
    if (fd < 0 || ioctl(fd, TUNSETIFF, &request) < 0 || ioctl(fd, TUNSETVNETHDRSZ, &header) < 0 ||
        ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6) < 0) {
        perror(name);
        return -1;
    }
    return fd;
}

static int pass(int from, int to)
{
    for (int n = 0; n < BURST; n++) {
        ssize_t len = read(from, frame, sizeof frame);
        if (len <= 0)
            return n;
        if (write(to, frame, len) < 0) {
            /* A frame that the other side has no room for is lost, as in any switch. */
        }
    }
    return BURST;
}

int main(int argc, char **argv)
{
    struct pollfd ports[2];

    if (argc != 3)
        return 2;
    for (int i = 0; i < 2; i++) {
        ports[i].fd = open_tap(argv[1 + i]);
        ports[i].events = POLLIN;
        if (ports[i].fd < 0)
            return 1;
    }
    for (;;) {
        if (pass(ports[0].fd, ports[1].fd) + pass(ports[1].fd, ports[0].fd) == 0)
            poll(ports, 2, -1);
    }
}
