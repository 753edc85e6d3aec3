#include "compute/film.h"

#include "base/file.h"

#include <assert.h>
#include <stdlib.h>
#include <webp/encode.h>
#include <webp/mux.h>

#define QUALITY 85.0f /* of 100 */

static size_t bytes_of_pixel(const struct job_view *view)
{
    assert(view->picture != JOB_PICTURE_NONE);
    if (view->picture == JOB_PICTURE_GRAY8) return 1;
    return view->picture == JOB_PICTURE_RGB8 ? 3 : 4;
}

/* Any format as RGBA, which the encoder takes. */
static void widen(uint8_t *out, const struct job_view *view, const uint8_t *in, size_t pixels)
{
    size_t step = bytes_of_pixel(view);
    for (size_t i = 0; i < pixels; i++, in += step) {
        out[4 * i] = in[0];
        out[4 * i + 1] = in[step == 1 ? 0 : 1];
        out[4 * i + 2] = in[step == 1 ? 0 : 2];
        out[4 * i + 3] = step == 4 ? in[3] : 255;
    }
}

static bool add_frame(WebPAnimEncoder *encoder, const struct job_view *view, const uint8_t *rgba,
                      int start_ms)
{
    WebPPicture picture;
    WebPConfig config;
    if (!WebPConfigInit(&config) || !WebPPictureInit(&picture)) return false;
    config.quality = QUALITY;
    picture.use_argb = 1;
    picture.width = (int)view->width;
    picture.height = (int)view->height;
    bool ok = WebPPictureImportRGBA(&picture, rgba, picture.width * 4) &&
              WebPAnimEncoderAdd(encoder, &picture, start_ms, &config);
    WebPPictureFree(&picture);
    return ok;
}

static bool add_frames(WebPAnimEncoder *encoder, const struct job_view *view, struct bytes content,
                       size_t count)
{
    size_t frame_bytes = content.size / count;
    size_t pixels = (size_t)view->width * view->height;
    uint8_t *rgba = malloc(pixels * 4);
    bool ok = rgba != NULL;
    for (size_t i = 0; ok && i < count; i++) {
        widen(rgba, view, content.data + i * frame_bytes, pixels);
        ok = add_frame(encoder, view, rgba, (int)(i * 1000 / view->frames_per_second));
    }
    free(rgba);
    return ok &&
           WebPAnimEncoderAdd(encoder, NULL, (int)(count * 1000 / view->frames_per_second), NULL);
}

enum status film_write(const char *path, const struct job_view *view, struct bytes content)
{
    WebPAnimEncoderOptions options;
    WebPData data = {0};
    size_t count = content.size / ((size_t)view->width * view->height * bytes_of_pixel(view));
    enum status status = E_IO;
    assert(view->frames_per_second > 0 && count > 0 && content.size % count == 0);
    if (!WebPAnimEncoderOptionsInit(&options)) return E_IO;
    WebPAnimEncoder *encoder = WebPAnimEncoderNew((int)view->width, (int)view->height, &options);
    if (encoder == NULL) return E_IO;
    if (add_frames(encoder, view, content, count) && WebPAnimEncoderAssemble(encoder, &data))
        status = file_write_atomic(path, (struct bytes){data.bytes, data.size}, 0644);
    WebPDataClear(&data);
    WebPAnimEncoderDelete(encoder);
    return status;
}
