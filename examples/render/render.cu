// A path tracer: glass, gold, glazed and matte spheres on a polished floor, lit by a soft box and
// the evening sky. `trace` follows paths, `smooth` removes their noise along what the first
// matte surface looks like, `develop` turns light into the bytes of a picture.

#define WIDTH 768
#define HEIGHT 512
#define PIXELS (WIDTH * HEIGHT)
#define SAMPLES 16 // paths a pixel
#define BOUNCES 7
#define BIG 5 // spheres that the table names; the small ones follow
#define SMALL 26
#define SPHERES (BIG + SMALL)
#define FAR 1.0e30f

// ---- vectors ------------------------------------------------------------------------------------

struct vec {
    float x, y, z;
};

__device__ vec v3(float x, float y, float z)
{
    vec v = {x, y, z};
    return v;
}
__device__ vec operator+(vec a, vec b)
{
    return v3(a.x + b.x, a.y + b.y, a.z + b.z);
}
__device__ vec operator-(vec a, vec b)
{
    return v3(a.x - b.x, a.y - b.y, a.z - b.z);
}
__device__ vec operator*(vec a, vec b)
{
    return v3(a.x * b.x, a.y * b.y, a.z * b.z);
}
__device__ vec operator*(vec a, float s)
{
    return v3(a.x * s, a.y * s, a.z * s);
}
__device__ float dot(vec a, vec b)
{
    return a.x * b.x + a.y * b.y + a.z * b.z;
}
__device__ vec cross(vec a, vec b)
{
    return v3(a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x);
}
__device__ vec unit(vec a)
{
    return a * (1.0f / sqrtf(dot(a, a)));
}
__device__ vec mix(vec a, vec b, float t)
{
    return a * (1.0f - t) + b * t;
}
__device__ vec mirrored(vec d, vec n)
{
    return d - n * (2.0f * dot(d, n));
}

// ---- chance: a hash of pixel, path and draw, so that the picture has one answer --------------------

struct dice {
    unsigned state;
};

__device__ float roll(dice &d)
{
    d.state = d.state * 747796405u + 2891336453u;
    unsigned word = ((d.state >> ((d.state >> 28) + 4u)) ^ d.state) * 277803737u;
    return (float)((word >> 22 ^ word) >> 8) * (1.0f / 16777216.0f);
}

__device__ unsigned scramble(unsigned x)
{
    x ^= x >> 16;
    x *= 0x7feb352du;
    x ^= x >> 15;
    x *= 0x846ca68bu;
    return x ^ x >> 16;
}

__device__ vec on_hemisphere(vec n, dice &d)
{
    float a = 6.2831853f * roll(d), h = 2.0f * roll(d) - 1.0f;
    float r = sqrtf(fmaxf(0.0f, 1.0f - h * h));
    vec   s = v3(r * cosf(a), r * sinf(a), h) + n; // a cosine lobe
    float length = dot(s, s);
    return length < 1.0e-6f ? n : s * (1.0f / sqrtf(length));
}

// ---- the scene --------------------------------------------------------------------------------------

enum { MATTE, GLAZED, METAL, GLASS, FLOOR };

struct sphere {
    vec   centre;
    float radius;
    vec   colour;
    float rough;
    int   kind;
};

__constant__ const sphere NAMED[BIG] = {
    {{-1.55f, 1.00f, 0.10f}, 1.00f, {1.00f, 0.71f, 0.29f}, 0.035f, METAL},
    {{0.62f, 0.82f, -0.75f}, 0.82f, {0.96f, 0.99f, 0.98f}, 0.0f, GLASS},
    {{2.20f, 0.95f, 0.95f}, 0.95f, {0.58f, 0.045f, 0.05f}, 0.0f, GLAZED},
    {{0.35f, 1.25f, 2.75f}, 1.25f, {0.93f, 0.95f, 0.98f}, 0.0f, METAL},
    {{-3.65f, 0.75f, 1.95f}, 0.75f, {0.03f, 0.20f, 0.30f}, 0.0f, GLAZED},
};

// Small ones along a golden-angle spiral; those that would touch a big one go below the floor.
__global__ void arrange(sphere *spheres)
{
    int i = threadIdx.x;
    if (i < BIG) spheres[i] = NAMED[i];
    if (i >= BIG) {
        int    n = i - BIG;
        float  angle = 2.3999632f * (float)n + 0.4f;
        float  distance = 1.02f + 0.66f * sqrtf((float)n);
        sphere s;
        s.radius = 0.15f + 0.11f * (float)(scramble(n * 7u + 1u) & 255u) / 255.0f;
        s.centre = v3(distance * cosf(angle) + 0.2f, s.radius, distance * sinf(angle) + 0.3f);
        float hue = 6.2831853f * (float)(scramble(n * 7u + 2u) & 255u) / 255.0f;
        s.colour = v3(0.46f + 0.40f * cosf(hue), 0.44f + 0.36f * cosf(hue - 2.1f),
                      0.46f + 0.40f * cosf(hue + 2.1f));
        unsigned pick = scramble(n * 7u + 3u) % 10u;
        s.kind = pick < 4u ? GLAZED : pick < 6u ? METAL : pick < 8u ? GLASS : MATTE;
        s.rough = s.kind == METAL ? 0.06f : 0.0f;
        if (s.kind == GLASS) s.colour = mix(s.colour, v3(1.0f, 1.0f, 1.0f), 0.78f);
        for (int b = 0; b < BIG; b++) {
            vec   gap = s.centre - NAMED[b].centre;
            float wanted = s.radius + NAMED[b].radius + 0.03f;
            if (dot(gap, gap) < wanted * wanted) s.centre.y = -9.0f;
        }
        if (s.centre.z < -2.4f) s.centre.y = -9.0f; // nothing right before the lens
        spheres[i] = s;
    }
}

// The soft box: a square light above and to the left.
#define LIGHT_X -2.6f
#define LIGHT_Y 6.4f
#define LIGHT_Z -1.6f
#define LIGHT_HALF 1.35f

__device__ vec light_colour()
{
    return v3(15.5f, 13.2f, 10.6f);
}

__device__ vec sky(vec d)
{
    float up = fmaxf(d.y, 0.0f);
    vec   low = v3(0.95f, 0.56f, 0.38f), high = v3(0.055f, 0.13f, 0.34f);
    vec   colour = mix(low, high, 1.0f - expf(-5.5f * up));
    float sun = fmaxf(dot(d, v3(0.565f, 0.130f, 0.815f)), 0.0f);
    float glow = sun * sun;
    glow = glow * glow;
    glow = glow * glow;
    return colour * 0.60f + v3(1.0f, 0.50f, 0.20f) * (0.9f * glow * glow * glow);
}

struct hit {
    float t;
    vec   n;
    int   index; // -1 sky, SPHERES the floor, SPHERES + 1 the light
};

__device__ float meet(const sphere &s, vec o, vec d)
{
    vec   c = s.centre - o;
    float b = dot(c, d);
    float q = s.radius * s.radius - (dot(c, c) - b * b);
    if (q <= 0.0f) return FAR;
    float root = sqrtf(q);
    float t = b - root;
    if (t > 1.0e-3f) return t;
    t = b + root;
    return t > 1.0e-3f ? t : FAR;
}

__device__ hit nearest(const sphere *spheres, vec o, vec d)
{
    hit h;
    h.t = FAR;
    h.index = -1;
    for (int i = 0; i < SPHERES; i++) {
        float t = meet(spheres[i], o, d);
        if (t < h.t) {
            h.t = t;
            h.index = i;
        }
    }
    if (d.y < -1.0e-5f) {
        float t = -o.y / d.y;
        if (t > 1.0e-3f && t < h.t && t < 60.0f) {
            h.t = t;
            h.index = SPHERES;
            h.n = v3(0.0f, 1.0f, 0.0f);
        }
    }
    if (d.y > 1.0e-5f) {
        float t = (LIGHT_Y - o.y) / d.y;
        float x = o.x + d.x * t - LIGHT_X, z = o.z + d.z * t - LIGHT_Z;
        if (t > 1.0e-3f && t < h.t && fabsf(x) < LIGHT_HALF && fabsf(z) < LIGHT_HALF) {
            h.t = t;
            h.index = SPHERES + 1;
            h.n = v3(0.0f, -1.0f, 0.0f);
        }
    }
    if (h.index >= 0 && h.index < SPHERES) {
        h.n = (o + d * h.t - spheres[h.index].centre) * (1.0f / spheres[h.index].radius);
    }
    return h;
}

// How much light passes; glass dims it, more at its rim, which gives its shadow a bright heart.
__device__ vec passing(const sphere *spheres, vec o, vec d, float far)
{
    vec light = v3(1.0f, 1.0f, 1.0f);
    for (int i = 0; i < SPHERES; i++) {
        const sphere &s = spheres[i];
        float t = meet(s, o, d);
        if (t >= far) continue;
        if (s.kind != GLASS) return v3(0.0f, 0.0f, 0.0f);
        float slant = fabsf(dot(o + d * t - s.centre, d)) / s.radius;
        light = light * s.colour * (0.10f + 0.85f * slant * slant);
    }
    return light;
}

__device__ vec lit(const sphere *spheres, vec p, vec n, dice &d)
{
    // Draws are statements of their own: the order of a call's arguments is the compiler's choice.
    float u = 2.0f * roll(d) - 1.0f, w = 2.0f * roll(d) - 1.0f;
    vec   spot = v3(LIGHT_X + LIGHT_HALF * u, LIGHT_Y, LIGHT_Z + LIGHT_HALF * w);
    vec   way = spot - p;
    float square = dot(way, way);
    float far = sqrtf(square);
    way = way * (1.0f / far);
    float facing = dot(n, way), leaving = way.y;
    if (facing <= 0.0f || leaving <= 0.0f) return v3(0.0f, 0.0f, 0.0f);
    float area = 4.0f * LIGHT_HALF * LIGHT_HALF;
    float weight = facing * leaving * area / (3.14159265f * square);
    return passing(spheres, p, way, far - 1.0e-2f) * light_colour() * weight;
}

// Large tiles of two stones with a fine joint.
__device__ vec floor_colour(vec p)
{
    float u = p.x * 0.8f + 100.0f, w = p.z * 0.8f + 100.0f;
    float fu = u - floorf(u), fw = w - floorf(w);
    bool  dark = (((int)u + (int)w) & 1) != 0;
    float grain = (float)(scramble((unsigned)((int)u * 131 + (int)w * 7919)) & 255u) / 255.0f;
    vec   stone = dark ? v3(0.105f, 0.115f, 0.135f) : v3(0.66f, 0.63f, 0.58f);
    if (fu < 0.012f || fw < 0.012f) return v3(0.05f, 0.05f, 0.05f);
    return stone * (0.86f + 0.22f * grain);
}

__device__ float fresnel(float cosine, float base)
{
    float m = 1.0f - cosine;
    float m2 = m * m;
    return base + (1.0f - base) * m2 * m2 * m;
}

struct feature { // the first surface of a path that is no mirror, for `smooth`
    vec   colour;
    vec   n;
    float depth;
    bool  matte; // the path went on from its body and not from its gloss
};

__device__ vec through_glass(vec d, vec n, dice &r)
{
    bool  inside = dot(d, n) > 0.0f;
    vec   m = inside ? n * -1.0f : n;
    float eta = inside ? 1.5f : 1.0f / 1.5f;
    float cosine = fminf(-dot(d, m), 1.0f);
    float k = 1.0f - eta * eta * (1.0f - cosine * cosine);
    float slant = inside && k > 0.0f ? sqrtf(k) : cosine;
    if (k <= 0.0f || roll(r) < fresnel(slant, 0.04f)) return mirrored(d, m);
    return unit(d * eta + m * (eta * cosine - sqrtf(k)));
}

__device__ vec follow(const sphere *spheres, vec o, vec d, dice &r, feature &seen, float stratum)
{
    vec  light = v3(0.0f, 0.0f, 0.0f), carry = v3(1.0f, 1.0f, 1.0f);
    bool sharp = true; // the last bounce was a mirror's: lights are seen
    bool marked = false;
    seen.colour = v3(1.0f, 1.0f, 1.0f);
    seen.n = v3(0.0f, 0.0f, 0.0f);
    seen.depth = 0.0f;
    seen.matte = false;
    for (int bounce = 0; bounce < BOUNCES; bounce++) {
        hit h = nearest(spheres, o, d);
        if (h.index < 0) {
            light = light + carry * sky(d);
            break;
        }
        if (!marked) seen.depth += h.t;
        if (h.index == SPHERES + 1) {
            if (sharp) light = light + carry * light_colour() * 0.6f;
            break;
        }
        vec   p = o + d * h.t;
        int   kind = FLOOR;
        float rough = 0.0f;
        vec   colour;
        if (h.index == SPHERES) {
            colour = floor_colour(p);
        } else {
            kind = spheres[h.index].kind;
            colour = spheres[h.index].colour;
            rough = spheres[h.index].rough;
        }
        if (kind == GLASS) {
            if (dot(d, h.n) > 0.0f) carry = carry * colour;
            d = through_glass(d, h.n, r);
            o = p + d * 1.0e-3f;
            sharp = true;
            continue;
        }
        float cosine = fminf(fmaxf(-dot(d, h.n), 0.0f), 1.0f);
        if (kind == METAL) {
            float edge = fresnel(cosine, 0.0f);
            carry = carry * mix(colour, v3(1.0f, 1.0f, 1.0f), edge);
            vec shiny = mirrored(d, h.n);
            if (rough > 0.0f) {
                float bx = roll(r) - 0.5f, by = roll(r) - 0.5f, bz = roll(r) - 0.5f;
                shiny = unit(shiny + v3(bx, by, bz) * (2.0f * rough));
            }
            d = shiny;
            o = p + h.n * 1.0e-3f;
            sharp = true;
            continue;
        }
        // Gloss is drawn more often than it is bright and weighs less for it: that is less noise.
        float coat = kind == MATTE ? 0.0f : fresnel(cosine, kind == FLOOR ? 0.045f : 0.05f);
        float odds = kind == MATTE || !sharp ? coat : 0.30f + 0.55f * coat;
        float draw = roll(r);
        bool  gloss = (marked ? draw : stratum) < odds;
        if (!marked) {
            seen.colour = colour;
            seen.n = h.n;
            seen.matte = !gloss;
            marked = true;
        }
        if (odds > 0.0f) carry = carry * (gloss ? coat / odds : (1.0f - coat) / (1.0f - odds));
        if (gloss) {
            d = mirrored(d, h.n);
            o = p + h.n * 1.0e-3f;
            sharp = true;
            continue;
        }
        o = p + h.n * 1.0e-3f;
        carry = carry * colour;
        light = light + carry * lit(spheres, o, h.n, r);
        d = on_hemisphere(h.n, r);
        sharp = false;
        float keep = fminf(fmaxf(carry.x, fmaxf(carry.y, carry.z)), 0.9f);
        if (bounce > 1) {
            if (roll(r) >= keep) break;
            carry = carry * (1.0f / keep);
        }
    }
    return v3(fminf(light.x, 6.0f), fminf(light.y, 6.0f), fminf(light.z, 6.0f));
}

// Buffers of planes, a float a pixel each: matte light (3) without the surface's own colour, which
// smooths better; mirrored light (3) as it is; features: colour (3), normal (3), depth.
__global__ void trace(const sphere *spheres, float *light, float *mirror, float *features)
{
    int px = blockIdx.x * blockDim.x + threadIdx.x;
    int py = blockIdx.y * blockDim.y + threadIdx.y;
    int pixel = py * WIDTH + px;
    vec eye = v3(-0.55f, 1.75f, -7.4f), aim = v3(-0.10f, 0.86f, 0.5f);
    vec forward = unit(aim - eye);
    vec right = unit(cross(v3(0.0f, 1.0f, 0.0f), forward));
    vec up = cross(forward, right);
    vec sum = v3(0.0f, 0.0f, 0.0f), colour = sum, normal = sum, shine = sum;
    float depth = 0.0f;
    for (int sample = 0; sample < SAMPLES; sample++) {
        dice r;
        r.state = scramble((unsigned)pixel * 2654435769u + (unsigned)sample * 40503u + 17u);
        float jx = ((float)sample + roll(r)) / SAMPLES, jy = roll(r); // strata across, chance down
        float u = ((float)px + jx - 0.5f * WIDTH) / (0.5f * HEIGHT) * 0.42f;
        float w = (0.5f * HEIGHT - (float)py - jy) / (0.5f * HEIGHT) * 0.42f;
        vec   point = eye + (forward + right * u + up * w) * 7.35f; // in focus
        float a = 6.2831853f * roll(r), lens = 0.035f * sqrtf(roll(r));
        vec   from = eye + right * (lens * cosf(a)) + up * (lens * sinf(a));
        float   stratum = ((float)((sample * 5 + 3) % SAMPLES) + roll(r)) / SAMPLES;
        feature seen;
        vec     found = follow(spheres, from, unit(point - from), r, seen, stratum);
        vec     own = seen.colour;
        if (seen.matte) {
            sum = sum + v3(found.x / fmaxf(own.x, 0.02f), found.y / fmaxf(own.y, 0.02f),
                           found.z / fmaxf(own.z, 0.02f));
        } else {
            shine = shine + found;
        }
        colour = colour + own;
        normal = normal + seen.n;
        depth += seen.depth;
    }
    float share = 1.0f / SAMPLES;
    float u = ((float)px + 0.5f - 0.5f * WIDTH) / (0.5f * HEIGHT) * 0.42f;
    float w = (0.5f * HEIGHT - (float)py - 0.5f) / (0.5f * HEIGHT) * 0.42f;
    depth = depth * share;
    float clear = expf(-0.0007f * depth * depth); // the far floor fades into the evening
    vec   haze = sky(unit(forward + right * u + up * w)) * (1.0f - clear);
    sum = sum * (share * clear);
    shine = shine * (share * clear) + haze;
    float values[7] = {colour.x * share, colour.y * share, colour.z * share, normal.x * share,
                       normal.y * share, normal.z * share, depth};
    light[pixel] = sum.x;
    light[PIXELS + pixel] = sum.y;
    light[2 * PIXELS + pixel] = sum.z;
    mirror[pixel] = shine.x;
    mirror[PIXELS + pixel] = shine.y;
    mirror[2 * PIXELS + pixel] = shine.z;
    for (int i = 0; i < 7; i++) features[i * PIXELS + pixel] = values[i];
}

// One pass of an a-trous filter (Dammertz and others 2010): a 5 x 5 kernel whose taps lie `gap`
// apart, weighted by how alike two pixels are; `sharp` is how strictly light is compared.
__global__ void smooth(const float *in, const float *features, float *out, int gap, float sharp)
{
    int px = blockIdx.x * blockDim.x + threadIdx.x;
    int py = blockIdx.y * blockDim.y + threadIdx.y;
    int pixel = py * WIDTH + px;
    const float tap[3] = {0.375f, 0.25f, 0.0625f};
    float own[10], total = 0.0f, sum[3] = {0.0f, 0.0f, 0.0f};
    for (int i = 0; i < 3; i++) own[i] = in[i * PIXELS + pixel];
    for (int i = 0; i < 7; i++) own[3 + i] = features[i * PIXELS + pixel];
    float bright = own[0] + own[1] + own[2] + 0.3f;
    for (int dy = -2; dy <= 2; dy++) {
        for (int dx = -2; dx <= 2; dx++) {
            int x = px + dx * gap, y = py + dy * gap;
            if (x < 0 || y < 0 || x >= WIDTH || y >= HEIGHT) continue;
            int   other = y * WIDTH + x;
            float light = 0.0f, look = 0.0f, turn = 0.0f;
            for (int i = 0; i < 3; i++) {
                float a = in[i * PIXELS + other] - own[i];
                float b = features[i * PIXELS + other] - own[3 + i];
                float c = features[(3 + i) * PIXELS + other] - own[6 + i];
                light += a * a;
                look += b * b;
                turn += c * c;
            }
            float far = (features[6 * PIXELS + other] - own[9]) / (own[9] + 0.1f);
            float unlike = light * sharp / (bright * bright) + look * 220.0f + turn * 24.0f +
                           far * far * 350.0f;
            float weight = tap[abs(dx)] * tap[abs(dy)] / (1.0f + unlike * unlike * 3.0f + unlike);
            for (int i = 0; i < 3; i++) sum[i] += weight * in[i * PIXELS + other];
            total += weight;
        }
    }
    for (int i = 0; i < 3; i++) out[i * PIXELS + pixel] = sum[i] / total;
}

// Film: a filmic curve (Narkowicz 2015), a slight vignette, sRGB.
__global__ void develop(const float *light, const float *mirror, const float *features,
                        unsigned char *picture)
{
    int   px = blockIdx.x * blockDim.x + threadIdx.x;
    int   py = blockIdx.y * blockDim.y + threadIdx.y;
    int   pixel = py * WIDTH + px;
    float u = (float)px / WIDTH - 0.5f, v = (float)py / HEIGHT - 0.5f;
    float shade = 1.0f - 0.42f * (u * u + v * v);
    for (int i = 0; i < 3; i++) {
        float own = fmaxf(features[i * PIXELS + pixel], 0.02f);
        float x = light[i * PIXELS + pixel] * own + mirror[i * PIXELS + pixel];
        x = x * shade * 1.02f;
        float y = x * (2.51f * x + 0.03f) / (x * (2.43f * x + 0.59f) + 0.14f);
        y = fminf(fmaxf(y, 0.0f), 1.0f);
        y = y <= 0.0031308f ? 12.92f * y : 1.055f * powf(y, 1.0f / 2.4f) - 0.055f;
        picture[3 * pixel + i] = (unsigned char)(255.0f * y + 0.5f);
    }
}
