/* picture.c - the renter's side of a result: pictures and texts out of raw buffers. */
#include "base/file.h"
#include "compute/film.h"

#include <assert.h>
#include <png.h>
#include <stdio.h>
#include <string.h>

static uint32_t png_format(enum job_picture_format format)
{
    switch (format) {
    case JOB_PICTURE_RGB8: return PNG_FORMAT_RGB;
    case JOB_PICTURE_RGBA8: return PNG_FORMAT_RGBA;
    case JOB_PICTURE_GRAY8: return PNG_FORMAT_GRAY;
    case JOB_PICTURE_NONE: break;
    }
    assert(format != JOB_PICTURE_NONE);
    return 0;
}

static enum status write_picture(const struct job_view *view, const char *path, struct bytes pixels)
{
    png_image image = {.version = PNG_IMAGE_VERSION,
                       .width = view->width,
                       .height = view->height,
                       .format = png_format(view->picture)};
    assert(pixels.size == PNG_IMAGE_SIZE(image));
    return png_image_write_to_file(&image, path, 0, pixels.data, 0, NULL) != 0 ? OK : E_IO;
}

/* PATH.webp, and each frame as a picture in PATH-frames. */
static enum status write_film(const struct job_view *view, const char *path, struct bytes content)
{
    char name[4200];
    png_image frame = {
        .width = view->width, .height = view->height, .format = png_format(view->picture)};
    size_t size = PNG_IMAGE_SIZE(frame);
    assert(content.size % size == 0);
    snprintf(name, sizeof name, "%s-frames", path);
    enum status status = directory_make(name, 0755);
    for (size_t i = 0; status == OK && i * size < content.size; i++) {
        snprintf(name, sizeof name, "%s-frames/%04zu.png", path, i);
        status = write_picture(view, name, bytes_slice(content, i * size, size));
    }
    snprintf(name, sizeof name, "%s.webp", path);
    return status == OK ? film_write(name, view, content) : status;
}

static void append_text(struct buffer *report, struct bytes content)
{
    size_t size = strnlen((const char *)content.data, content.size);
    if (report == NULL || size == 0) return;
    buffer_append(report, bytes_slice(content, 0, size));
    if (content.data[size - 1] != '\n') buffer_append_byte(report, '\n');
}

static enum status present(const struct plan_buffer *b, const struct job_view *view,
                           const char *folder, struct buffer *report, char *error)
{
    char path[4096];
    struct buffer content = {0};
    snprintf(path, sizeof path, "%.3900s/%s", folder, b->name);
    enum status status = file_read(&content, path, (size_t)b->size_bytes);
    if (status == OK && content.size != b->size_bytes) status = E_MALFORMED;
    if (status != OK) {
        snprintf(error, JOB_ERROR_SIZE, "%.400s: %s", path, status_text(status));
    } else if (view->text) {
        append_text(report, buffer_bytes(&content));
    }
    if (status == OK && view->picture != JOB_PICTURE_NONE) {
        bool film = view->frames_per_second > 0;
        if (film) status = write_film(view, path, buffer_bytes(&content));
        strncat(path, film ? ".webp" : ".png", sizeof path - strlen(path) - 1);
        if (!film) status = write_picture(view, path, buffer_bytes(&content));
        if (status != OK) snprintf(error, JOB_ERROR_SIZE, "cannot write %.400s", path);
        if (status == OK && report != NULL) buffer_print(report, "picture    %s\n", path);
    }
    buffer_finish(&content);
    return status;
}

enum status job_present_result(const struct job *job, const char *result_folder,
                               struct buffer *report, char error[JOB_ERROR_SIZE])
{
    for (uint32_t i = 0; i < job->plan.buffer_count; i++) {
        const struct plan_buffer *b = &job->plan.buffers[i];
        const struct job_view *view = &job->views[i];
        if (!b->output || (!view->text && view->picture == JOB_PICTURE_NONE)) continue;
        enum status status = present(b, view, result_folder, report, error);
        if (status != OK) return status;
    }
    return OK;
}
