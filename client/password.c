#include "client/password.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

void password_wipe(char password[PASSWORD_SIZE])
{
    OPENSSL_cleanse(password, PASSWORD_SIZE);
}

static enum status take(char out[PASSWORD_SIZE], char *error, const char *text, size_t size)
{
    if (size >= PASSWORD_SIZE) {
        snprintf(error, JSON_ERROR_SIZE, "the password is longer than %d bytes", PASSWORD_SIZE - 1);
        return E_LIMIT;
    }
    memset(out, 0, PASSWORD_SIZE);
    memcpy(out, text, size);
    return OK;
}

static enum status from_file(char out[PASSWORD_SIZE], char *error, const char *path)
{
    struct buffer content = {0};
    enum status status = file_read(&content, path, 64u << 10);
    if (status == OK) {
        const char *text = buffer_text(&content);
        status = take(out, error, text, strcspn(text, "\r\n"));
        OPENSSL_cleanse(content.data, content.size);
    } else {
        snprintf(error, JSON_ERROR_SIZE, "cannot read the password file %.150s: %s", path,
                 status == E_LIMIT ? "too large" : strerror(errno));
    }
    buffer_finish(&content);
    return status;
}

static ssize_t read_line(int fd, char out[PASSWORD_SIZE])
{
    ssize_t size = 0;
    for (;;) {
        char c = 0;
        ssize_t got = read(fd, &c, 1);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0 || c == '\n') break;
        if (size == PASSWORD_SIZE - 1) return -1;
        out[size++] = c;
    }
    out[size] = '\0';
    return size;
}

static enum status prompt_once(char out[PASSWORD_SIZE], int tty, const char *prompt)
{
    struct termios before;
    struct termios silent;
    if (tcgetattr(tty, &before) != 0) return E_IO;
    silent = before;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    tcsetattr(tty, TCSAFLUSH, &silent);
    dprintf(tty, "%s: ", prompt);
    ssize_t size = read_line(tty, out);
    tcsetattr(tty, TCSAFLUSH, &before);
    dprintf(tty, "\n");
    return size >= 0 ? OK : E_LIMIT;
}

static enum status prompt_twice(char out[PASSWORD_SIZE], char *error, int tty)
{
    char again[PASSWORD_SIZE];
    enum status status = prompt_once(again, tty, "The same once more");
    if (status == OK && strcmp(again, out) != 0) {
        snprintf(error, JSON_ERROR_SIZE, "the two passwords differ");
        status = E_MALFORMED;
    }
    password_wipe(again);
    return status;
}

static enum status from_terminal(char out[PASSWORD_SIZE], char *error,
                                 const struct password_source *source)
{
    int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (tty < 0) {
        snprintf(error, JSON_ERROR_SIZE,
                 "no terminal to ask for a password; give --password-file or set "
                 "LEASEHOLD_PASSWORD");
        return E_NOT_FOUND;
    }
    enum status status = prompt_once(out, tty, source->prompt);
    if (status == OK && source->confirm) status = prompt_twice(out, error, tty);
    close(tty);
    return status;
}

enum status password_read(char out[PASSWORD_SIZE], char error[JSON_ERROR_SIZE],
                          const struct password_source *source)
{
    const char *given = getenv("LEASEHOLD_PASSWORD");
    const char *file = source->file != NULL ? source->file : getenv("LEASEHOLD_PASSWORD_FILE");
    snprintf(error, JSON_ERROR_SIZE, "the password could not be read");
    enum status status;
    if (source->file != NULL || (given == NULL && file != NULL)) {
        status = from_file(out, error, file);
    } else if (given != NULL) {
        status = take(out, error, given, strlen(given));
    } else {
        status = from_terminal(out, error, source);
    }
    if (status == OK && source->confirm && out[0] == '\0') {
        snprintf(error, JSON_ERROR_SIZE, "the password is empty");
        status = E_MALFORMED;
    }
    if (status != OK) password_wipe(out);
    return status;
}
