/* This program tests calls that use the file descriptor of a device node. DescriptorTests compiles this program and
 * runs it with the arguments SUBJECT NODE. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/usbdevice_fs.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            fprintf(stderr, "descriptors.c:%d: %s does not hold, errno %d\n", __LINE__, #condition, errno);   \
            exit(1);                                                                                         \
        }                                                                                                    \
    } while (0)

static const char *node;

static int open_node(void)
{
    int fd = open(node, O_RDWR | O_CLOEXEC);
    CHECK(fd >= 0);
    return fd;
}

static int claim(int fd)
{
    unsigned interface = 0;
    return ioctl(fd, USBDEVFS_CLAIMINTERFACE, &interface);
}

/* Returns whether the file descriptor still belongs to a device node. A file descriptor of another file supports no usbfs requests. */
static int works(int fd)
{
    unsigned capabilities = 0;
    unsigned char descriptor[18];
    return ioctl(fd, USBDEVFS_GET_CAPABILITIES, &capabilities) == 0 && capabilities != 0
        && pread(fd, descriptor, sizeof descriptor, 0) == sizeof descriptor && descriptor[1] == 1;
}

/* Checks that the node is closed. Another descriptor can then claim its interface. */
static void expect_ended(void)
{
    int other = open_node();
    CHECK(claim(other) == 0);
    close(other);
}

static void expect_held(void)
{
    int other = open_node();
    CHECK(claim(other) < 0 && errno == EBUSY);
    close(other);
}

static void read_before_the_start(void)
{
    unsigned char buffer[64], untouched[64];
    int fd = open_node();
    memset(buffer, 0x5a, sizeof buffer);
    memset(untouched, 0x5a, sizeof untouched);
    CHECK(pread(fd, buffer, sizeof buffer, -16) < 0 && errno == EINVAL);
    CHECK(memcmp(buffer, untouched, sizeof buffer) == 0);
    CHECK(works(fd));
    close(fd);
}

static void duplicate(void)
{
    int first = open_node();
    CHECK(claim(first) == 0);
    int second = dup(first), third = fcntl(first, F_DUPFD_CLOEXEC, 100);
    CHECK(second >= 0 && third >= 100);
    CHECK(close(first) == 0);
    CHECK(works(second) && works(third));
    CHECK(close(third) == 0);
    CHECK(works(second));
    expect_held();
    CHECK(close(second) == 0);
    expect_ended();
}

static void replace(void)
{
    int nothing = open("/dev/null", O_RDWR), first = open_node();
    CHECK(claim(first) == 0);
    CHECK(dup2(first, 200) == 200);
    CHECK(dup3(200, 201, O_CLOEXEC) == 201);
    CHECK(dup2(first, first) == first && works(first));
    CHECK(dup2(nothing, first) == first); /* closes the node's first descriptor */
    CHECK(!works(first) && works(200) && works(201));
    CHECK(dup2(nothing, 200) == 200);
    CHECK(works(201));
    expect_held();
    CHECK(dup2(-1, 201) < 0 && errno == EBADF && works(201));
    CHECK(dup3(nothing, 201, 0) == 201);
    CHECK(!works(201));
    expect_ended();
}

static void close_a_range(void)
{
    int low = open_node(), high = open_node();
    CHECK(low < high && claim(high) == 0);
    CHECK(close_range((unsigned)high, (unsigned)high + 1, 0) == 0);
    expect_ended();
    CHECK(claim(low) == 0);
    CHECK(close_range((unsigned)low + 1, ~0u, 0) == 0); /* closes all other files of the program, but no file that the node needs */
    CHECK(works(low));
    expect_held();
    CHECK(close_range((unsigned)low + 1, ~0u, 4) == 0); /* CLOSE_RANGE_CLOEXEC */
    CHECK(works(low));
    closefrom(low);
    CHECK(!works(low));
    expect_ended();
}

static void close_each(void)
{
    int fd = open_node();
    for (int other = 3; other < 4096; other++)
        if (other != fd)
            close(other);
    CHECK(works(fd));
    CHECK(claim(fd) == 0);
    CHECK(close(fd) == 0);
    expect_ended();
}

static void close_in_a_child(void)
{
    int fd = open_node(), status;
    CHECK(claim(fd) == 0);
    pid_t child = vfork();
    if (child == 0) {
        dup2(fd, 300);
        dup2(0, fd);
        close(fd);
        close_range(3, ~0u, 0);
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK(works(fd) && !works(300));
    expect_held();
    child = fork();
    if (child == 0) {
        close(fd);
        closefrom(3);
        int own = open_node(); /* the child uses the bus itself */
        _exit(works(own) && close(own) == 0 ? 0 : 1);
    }
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK(works(fd));
    expect_held();
    CHECK(close(fd) == 0);
    expect_ended();
}

static void look_at(void)
{
    struct stat found;
    char link[64];
    CHECK(stat(node, &found) == 0 && S_ISCHR(found.st_mode) && major(found.st_rdev) == 189);
    CHECK(lstat("/sys/bus/usb/devices/usb1", &found) == 0 && S_ISLNK(found.st_mode));
    CHECK(access("/sys/bus/usb/devices/usb1/idVendor", R_OK) == 0);
    CHECK(stat("/sys/bus/usb/devices/none", &found) < 0 && errno == ENOENT);
    char *real = realpath("/sys/bus/usb/devices/usb1", NULL);
    CHECK(real && !strcmp(real, "/sys/devices/platform/native_libusb/usb1"));
    int fd = open_node();
    char name[32];
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(name, link, sizeof link - 1);
    CHECK(length > 0 && (link[length] = 0, !strcmp(link, node)));
    FILE *file = fopen("/sys/bus/usb/devices/usb1/busnum", "r");
    int number = 0;
    CHECK(file && fscanf(file, "%d", &number) == 1 && number == 1);
    fclose(file);
    close(fd);
}

/* Makes the same calls as a libusb that was built without udev. Prints "ready", and returns after a device was removed. */
static void hear_the_kernel(void)
{
    struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = 1 };
    int on = 1, fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);
    CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0);
    CHECK(setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) == 0);
    puts("ready");
    fflush(stdout);
    for (;;) {
        char text[4096], room[CMSG_SPACE(sizeof(struct ucred))];
        struct sockaddr_nl sender;
        struct iovec data = { text, sizeof text - 1 };
        struct msghdr message = { .msg_name = &sender, .msg_namelen = sizeof sender, .msg_iov = &data, .msg_iovlen = 1,
                                  .msg_control = room, .msg_controllen = sizeof room };
        struct pollfd wait = { .fd = fd, .events = POLLIN };
        CHECK(poll(&wait, 1, -1) == 1 && wait.revents == POLLIN);
        ssize_t length = recvmsg(fd, &message, 0);
        CHECK(length > 0 && !(message.msg_flags & MSG_TRUNC));
        CHECK(message.msg_namelen == sizeof sender && sender.nl_groups == 1 && sender.nl_pid == 0);
        struct cmsghdr *control = CMSG_FIRSTHDR(&message);
        CHECK(control && control->cmsg_type == SCM_CREDENTIALS && ((struct ucred *)CMSG_DATA(control))->uid == 0);
        CHECK(recvmsg(fd, &message, 0) < 0 && errno == EAGAIN);
        text[length] = 0;
        if (strncmp(text, "remove@/devices/", 16))
            continue;
        int found = 0;
        for (char *property = text; property < text + length; property += strlen(property) + 1)
            found += !strcmp(property, "ACTION=remove") || !strcmp(property, "SUBSYSTEM=usb") || !strcmp(property, "DEVTYPE=usb_device");
        CHECK(found == 3);
        return;
    }
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } subjects[] = {
        { "read_before_the_start", read_before_the_start }, { "duplicate", duplicate }, { "replace", replace },
        { "close_a_range", close_a_range }, { "close_each", close_each }, { "close_in_a_child", close_in_a_child },
        { "look_at", look_at }, { "hear_the_kernel", hear_the_kernel },
    };
    if (argc != 3)
        return 99;
    node = argv[2];
    alarm(60);
    for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++)
        if (!strcmp(argv[1], subjects[i].name)) {
            subjects[i].run();
            return 0;
        }
    return 98;
}
