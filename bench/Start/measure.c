/* Runs commands alternately (A B C A B C ...) and prints the cost of each run as one line of JSON.
   usage: measure ROUNDS WARMUP -- COMMAND [ARGUMENT...] [-- COMMAND [ARGUMENT...]]...

   The program discards the standard output of the commands, but not their standard error. A command that fails ends the measurement.
   The peak memory that the kernel reports for a process is at least the memory of the process that started it. Link this program statically, so
   that it is small (about 1 MiB) and no library is preloaded into it. The commands inherit the environment, including the libraries to preload. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum { FAILED = 1, USAGE = 2, MOST_ROUNDS = 100000 };

struct run {
    int64_t wall, processor; /* nanoseconds; the kernel counts processor time in microseconds */
    long memory;             /* the peak of the resident memory in KiB */
};

struct command {
    char **arguments; /* ends with NULL */
    struct run *runs;
};

static int usage(const char *what)
{
    fprintf(stderr, "measure: %s\nusage: measure ROUNDS WARMUP -- COMMAND [ARGUMENT...] [-- COMMAND [ARGUMENT...]]...\n", what);
    return USAGE;
}

/* Parses a number from least to MOST_ROUNDS. Returns -1 if the text is not such a number. */
static int number(const char *text, int least)
{
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    return errno != 0 || end == text || *end != '\0' || value < least || value > MOST_ROUNDS ? -1 : (int)value;
}

static int64_t nanoseconds(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

static int64_t of(struct timeval time)
{
    return time.tv_sec * INT64_C(1000000000) + time.tv_usec * INT64_C(1000);
}

/* Runs a command once. Ends this program if the command fails. */
static struct run measure(const struct command *command, const posix_spawn_file_actions_t *actions)
{
    pid_t process;
    int64_t start = nanoseconds();
    int error = posix_spawnp(&process, command->arguments[0], actions, NULL, command->arguments, environ);
    if (error != 0) {
        fprintf(stderr, "measure: %s cannot be started: %s\n", command->arguments[0], strerror(error));
        exit(FAILED);
    }
    int status;
    struct rusage usage;
    while (wait4(process, &status, 0, &usage) < 0) {
        if (errno != EINTR) {
            perror("measure: wait4");
            exit(FAILED);
        }
    }
    int64_t end = nanoseconds();
    if (WIFSIGNALED(status)) {
        fprintf(stderr, "measure: %s was ended by signal %d (%s)\n", command->arguments[0], WTERMSIG(status), strsignal(WTERMSIG(status)));
        exit(FAILED);
    }
    if (WEXITSTATUS(status) != 0) {
        fprintf(stderr, "measure: %s ended with exit status %d\n", command->arguments[0], WEXITSTATUS(status));
        exit(FAILED);
    }
    return (struct run){end - start, of(usage.ru_utime) + of(usage.ru_stime), usage.ru_maxrss};
}

static void print_string(const char *text)
{
    putchar('"');
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            printf("\\%c", *text);
        else if ((unsigned char)*text < ' ')
            printf("\\u%04x", *text);
        else
            putchar(*text);
    }
    putchar('"');
}

static void print(const struct command *command, int rounds)
{
    printf("{\"command\":[");
    for (char **argument = command->arguments; *argument != NULL; argument++) {
        if (argument != command->arguments)
            putchar(',');
        print_string(*argument);
    }
    printf("],\"wall_ns\":[");
    for (int i = 0; i < rounds; i++)
        printf("%s%" PRId64, i == 0 ? "" : ",", command->runs[i].wall);
    printf("],\"processor_ns\":[");
    for (int i = 0; i < rounds; i++)
        printf("%s%" PRId64, i == 0 ? "" : ",", command->runs[i].processor);
    long peak = 0;
    printf("],\"max_rss_kib\":[");
    for (int i = 0; i < rounds; i++) {
        printf("%s%ld", i == 0 ? "" : ",", command->runs[i].memory);
        peak = command->runs[i].memory > peak ? command->runs[i].memory : peak;
    }
    printf("],\"peak_rss_kib\":%ld,\"exit_status\":0}", peak);
}

int main(int argc, char **argv)
{
    if (argc < 5)
        return usage("too few arguments");
    int rounds = number(argv[1], 1), warmup = number(argv[2], 0);
    if (rounds < 0)
        return usage("ROUNDS is a number from 1 to 100000");
    if (warmup < 0)
        return usage("WARMUP is a number from 0 to 100000");
    if (strcmp(argv[3], "--") != 0)
        return usage("-- goes before each command");

    /* Each -- ends one list of arguments and begins the next one. */
    struct command *commands = calloc((size_t)argc, sizeof *commands);
    if (commands == NULL) {
        perror("measure");
        return FAILED;
    }
    int count = 0;
    for (int i = 3; i < argc; i++) {
        if (strcmp(argv[i], "--") != 0)
            continue;
        if (i + 1 == argc || strcmp(argv[i + 1], "--") == 0)
            return usage("a command is missing after --");
        argv[i] = NULL;
        commands[count].arguments = &argv[i + 1];
        commands[count].runs = calloc((size_t)rounds, sizeof *commands[count].runs);
        if (commands[count++].runs == NULL) {
            perror("measure");
            return FAILED;
        }
    }

    posix_spawn_file_actions_t actions;
    int error = posix_spawn_file_actions_init(&actions);
    if (error == 0)
        error = posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    if (error != 0) {
        fprintf(stderr, "measure: /dev/null: %s\n", strerror(error));
        return FAILED;
    }
    for (int round = -warmup; round < rounds; round++) {
        for (int i = 0; i < count; i++) {
            struct run run = measure(&commands[i], &actions);
            if (round >= 0)
                commands[i].runs[round] = run;
        }
    }

    printf("{\"rounds\":%d,\"warmup\":%d,\"commands\":[", rounds, warmup);
    for (int i = 0; i < count; i++) {
        if (i > 0)
            putchar(',');
        print(&commands[i], rounds);
    }
    puts("]}");
    if (fflush(stdout) != 0 || ferror(stdout)) {
        perror("measure: the result cannot be written");
        return FAILED;
    }
    return 0;
}
