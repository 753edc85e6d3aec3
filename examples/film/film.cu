/* film.cu - the path tracer of examples/render as a film, in parts.
 *
 * The frames lie one below the other: a strip of FRAMES x HEIGHT rows. A part makes rows of it, and
 * for `smooth` it follows light through some rows above and below that are its neighbours' too: so
 * the film is the same, bit for bit, into however many parts it is cut. */

#define WIDTH 384
#define HEIGHT 216
#define FRAMES 36
#define EDGE 16 /* rows at each side of a part: `smooth` reaches 2 + 4 + 8 */

#define SPHERES 16
#define FLOOR SPHERES
#define SKY (-1)
#define BOUNCES_MAX 7
#define FAR 1e9f
#define NEAR 2e-3f
#define PI 3.14159265f

enum material { PLASTIC, METAL, GLASS, LAMP };

/* ---- vectors ----------------------------------------------------------------------------------- */

static __device__ __forceinline__ float3 vec(float x, float y, float z)
{
    return make_float3(x, y, z);
}
static __device__ __forceinline__ float3 operator+(float3 a, float3 b)
{
    return vec(a.x + b.x, a.y + b.y, a.z + b.z);
}
static __device__ __forceinline__ float3 operator-(float3 a, float3 b)
{
    return vec(a.x - b.x, a.y - b.y, a.z - b.z);
}
static __device__ __forceinline__ float3 operator*(float3 a, float3 b)
{
    return vec(a.x * b.x, a.y * b.y, a.z * b.z);
}
static __device__ __forceinline__ float3 operator*(float3 a, float s)
{
    return vec(a.x * s, a.y * s, a.z * s);
}
static __device__ __forceinline__ float dot(float3 a, float3 b)
{
    return a.x * b.x + a.y * b.y + a.z * b.z;
}
static __device__ __forceinline__ float3 unit(float3 a)
{
    return a * (1.0f / sqrtf(dot(a, a)));
}
static __device__ __forceinline__ float3 mix(float3 a, float3 b, float t)
{
    return a * (1.0f - t) + b * t;
}
static __device__ __forceinline__ float3 mirror(float3 d, float3 n)
{
    return d - n * (2.0f * dot(d, n));
}
static __device__ __forceinline__ float largest(float3 a)
{
    float m = a.x > a.y ? a.x : a.y;
    return m > a.z ? m : a.z;
}

/* ---- the scene: arrays of one property each, so that a compiler can test spheres in parallel ----- */

__constant__ float sphere_x[SPHERES] = {
    -0.06f, -2.28f, 2.20f, -1.22f, 1.20f, -0.48f, 0.56f, 2.30f,
    -2.25f, -4.30f, 4.25f, 0.15f, -1.78f, 1.86f, -5.40f, 8.50f};
__constant__ float sphere_y[SPHERES] = {
    1.00f, 0.92f, 0.85f, 0.32f, 0.28f, 0.20f, 0.22f, 0.30f,
    0.28f, 0.60f, 0.66f, 0.46f, 0.14f, 0.13f, 5.40f, 4.20f};
__constant__ float sphere_z[SPHERES] = {
    0.00f, -0.85f, -0.65f, 1.12f, 1.30f, 1.78f, 1.80f, 0.95f,
    0.90f, -2.40f, -2.50f, -2.70f, 1.82f, 1.80f, 0.60f, -3.20f};
__constant__ float sphere_radius[SPHERES] = {
    1.00f, 0.92f, 0.85f, 0.32f, 0.28f, 0.20f, 0.22f, 0.30f,
    0.28f, 0.60f, 0.66f, 0.46f, 0.14f, 0.13f, 1.30f, 1.20f};
__constant__ int sphere_material[SPHERES] = {
    GLASS, METAL, METAL, PLASTIC, PLASTIC, GLASS, METAL, PLASTIC,
    PLASTIC, PLASTIC, PLASTIC, PLASTIC, LAMP, LAMP, LAMP, LAMP};
__constant__ float sphere_roughness[SPHERES] = {
    0.0f, 0.16f, 0.0f, 0.0f, 0.0f, 0.0f, 0.06f, 0.0f,
    0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f};
/* Of lamps: the light that they give. */
__constant__ float sphere_colour[SPHERES][3] = {
    {0.985f, 0.995f, 0.990f}, {1.00f, 0.72f, 0.30f},  {0.93f, 0.94f, 0.96f}, {0.78f, 0.05f, 0.06f},
    {0.05f, 0.22f, 0.72f},    {0.98f, 0.86f, 0.72f},  {0.95f, 0.55f, 0.42f}, {0.04f, 0.45f, 0.30f},
    {0.86f, 0.42f, 0.03f},    {0.42f, 0.12f, 0.55f},  {0.80f, 0.62f, 0.10f}, {0.05f, 0.48f, 0.56f},
    {6.0f, 1.5f, 0.22f},      {0.25f, 2.0f, 6.0f},   {50.0f, 40.0f, 28.0f}, {7.0f, 10.0f, 16.0f}};

#define LAMPS 4
#define FIRST_LAMP (SPHERES - LAMPS)

static __device__ __forceinline__ float3 centre_of(int i)
{
    return vec(sphere_x[i], sphere_y[i], sphere_z[i]);
}
static __device__ __forceinline__ float3 colour_of(int i)
{
    return vec(sphere_colour[i][0], sphere_colour[i][1], sphere_colour[i][2]);
}

static __device__ float3 sky(float3 d)
{
    float  up = d.y < 0.0f ? 0.0f : d.y;
    float  low = 1.0f - up;
    float  band = low * low * low * low;
    float  west = 0.5f - 0.5f * unit(vec(d.x, 0.0f, d.z + 0.001f)).x;
    float3 horizon = mix(vec(0.16f, 0.20f, 0.36f), vec(0.95f, 0.42f, 0.18f), west);
    return mix(vec(0.030f, 0.060f, 0.16f), horizon, band * 0.9f) * 0.75f;
}

/* ---- points spread evenly over the samples of a pixel --------------------------------------------- */

struct random {
    unsigned pixel;
    unsigned sample;
    unsigned last; /* number of the last sample, 2^n - 1 */
    unsigned dimension;
};

static __device__ __forceinline__ unsigned scramble(unsigned x)
{
    x = (x ^ x >> 16) * 0x7feb352du;
    x = (x ^ x >> 15) * 0x846ca68bu;
    return x ^ x >> 16;
}
/* Roberts' R2 sequence in fixed point, turned and put in another order for each pixel and dimension. */
static __device__ __forceinline__ float2 next_pair(random &r)
{
    unsigned turn = scramble(r.pixel + 0x9e3779b9u * ++r.dimension);
    unsigned other = turn * 0x85ebca6bu;
    unsigned place = (r.sample * (turn >> 7 | 1) ^ turn >> 19) & r.last;
    unsigned u = turn + place * 3242174889u;
    unsigned v = (other ^ other >> 15) + place * 2447445414u;
    return make_float2((float)(u >> 8) * 0x1p-24f, (float)(v >> 8) * 0x1p-24f);
}

/* Two axes across n (Duff and others 2017). */
static __device__ __forceinline__ void axes(float3 n, float3 &s, float3 &t)
{
    float sign = n.z < 0.0f ? -1.0f : 1.0f;
    float a = -1.0f / (sign + n.z);
    float b = n.x * n.y * a;
    s = vec(1.0f + sign * n.x * n.x * a, sign * b, -sign * n.x);
    t = vec(b, sign + n.y * n.y * a, -n.y);
}
/* Sine and cosine of a whole turn's share in [0, 1). */
static __device__ __forceinline__ float2 on_circle(float turn)
{
    int   quarter = (int)(turn * 4.0f + 0.5f);
    float a = (turn * 4.0f - (float)quarter) * (0.5f * PI);
    float b = a * a;
    float sine = a * (1.0f + b * (-0.16666667f + b * (8.3333310e-3f - b * 1.9840874e-4f)));
    float cosine = 1.0f + b * (-0.5f + b * (4.1666638e-2f + b * (-1.3888378e-3f + b * 2.4760495e-5f)));
    float x = quarter & 1 ? cosine : sine, y = quarter & 1 ? sine : cosine;
    return make_float2(quarter & 2 ? -x : x, (quarter + 1) & 2 ? -y : y);
}
static __device__ __forceinline__ float3 around(float3 n, float cosine, float turn)
{
    float3 s, t;
    float2 side = on_circle(turn);
    float  sine = 1.0f - cosine * cosine;
    sine = sqrtf(sine > 0.0f ? sine : 0.0f);
    axes(n, s, t);
    return s * (sine * side.y) + t * (sine * side.x) + n * cosine;
}

/* ---- what a ray meets -------------------------------------------------------------------------------- */

/* Distances along the ray to all spheres at once; no branch, so it becomes vector code. */
static __device__ __forceinline__ void sphere_distances(float *out, float3 o, float3 d)
{
    for (int i = 0; i < SPHERES; i++) {
        float x = sphere_x[i] - o.x, y = sphere_y[i] - o.y, z = sphere_z[i] - o.z;
        float along = x * d.x + y * d.y + z * d.z;
        float px = x - along * d.x, py = y - along * d.y, pz = z - along * d.z;
        float room = sphere_radius[i] * sphere_radius[i] - (px * px + py * py + pz * pz);
        float half = sqrtf(room > 0.0f ? room : 0.0f);
        float near = along - half, far = along + half;
        float t = near > NEAR ? near : far;
        out[i] = room > 0.0f && t > NEAR ? t : FAR;
    }
}

/* Positive floats are ordered as their bits are, so the least of integers that carry a sphere's
 * number in their last bits finds distance and sphere at once, without a branch. */
static __device__ __forceinline__ int nearest(float &distance, float3 o, float3 d)
{
    float t[SPHERES];
    int   best = INT_MAX;
    sphere_distances(t, o, d);
    for (int i = 0; i < SPHERES; i++) {
        int key = (__float_as_int(t[i]) & ~(SPHERES - 1)) | i;
        best = key < best ? key : best;
    }
    int   what = best & (SPHERES - 1);
    float down = d.y < 0.0f ? -o.y / d.y : FAR;
    distance = t[what];
    if (down > NEAR && down < distance) {
        distance = down;
        return FLOOR;
    }
    return distance < FAR ? what : SKY;
}

static __device__ __forceinline__ bool is_free(float3 o, float3 d, float distance, int lamp)
{
    float t[SPHERES];
    int   hits = 0;
    sphere_distances(t, o, d);
    for (int i = 0; i < SPHERES; i++) hits += t[i] < distance && i != lamp ? 1 : 0;
    return hits == 0;
}

static __device__ float3 floor_colour(float3 p)
{
    int  tile = __float2int_rd(p.x * 1.25f + 0.5f) + __float2int_rd(p.z * 1.25f);
    bool dark = (tile & 1) != 0;
    return dark ? vec(0.055f, 0.060f, 0.075f) : vec(0.56f, 0.53f, 0.49f);
}

/* Schlick's approximation of Fresnel's reflectance. */
static __device__ __forceinline__ float fresnel(float cosine, float straight)
{
    float low = 1.0f - cosine;
    float square = low * low;
    return straight + (1.0f - straight) * square * square * low;
}

/* ---- light that comes straight from a lamp ------------------------------------------------------------ */

/* By lot, the chances in proportion to how much light would come if nothing stood between. */
static __device__ int choose_lamp(float lot, float3 p, float &chance)
{
    float power[LAMPS], sum = 0.0f;
    int   lamp = 0;
    for (int i = 0; i < LAMPS; i++) {
        float3 to = centre_of(FIRST_LAMP + i) - p;
        float  radius = sphere_radius[FIRST_LAMP + i];
        power[i] = largest(colour_of(FIRST_LAMP + i)) * radius * radius / dot(to, to);
        sum += power[i];
    }
    lot *= sum;
    while (lamp < LAMPS - 1 && lot >= power[lamp]) lot -= power[lamp++];
    chance = power[lamp] / sum;
    return FIRST_LAMP + lamp;
}

/* A point within the cone under which the lamp is seen, each direction as likely as another. */
static __device__ float3 lamp_light(float3 p, float3 n, random &r)
{
    float  chance;
    float2 u = next_pair(r);
    int    lamp = choose_lamp(next_pair(r).x, p, chance);
    float3 to = centre_of(lamp) - p;
    float  square = dot(to, to);
    float  ratio = sphere_radius[lamp] * sphere_radius[lamp] / square;
    if (ratio >= 1.0f) return vec(0.0f, 0.0f, 0.0f);
    float  edge = sqrtf(1.0f - ratio);
    float  cosine = 1.0f - u.x * (1.0f - edge);
    float3 d = around(to * (1.0f / sqrtf(square)), cosine, u.y);
    float  facing = dot(n, d);
    if (facing <= 0.0f) return vec(0.0f, 0.0f, 0.0f);
    float distance = sqrtf(square) - sphere_radius[lamp];
    if (!is_free(p, d, distance, lamp)) return vec(0.0f, 0.0f, 0.0f);
    return colour_of(lamp) * (2.0f * (1.0f - edge) * facing / chance);
}

/* ---- a path ------------------------------------------------------------------------------------------ */

struct path {
    float3 origin;
    float3 direction;
    float3 weight; /* how much of what comes counts */
    float3 light;  /* what came so far */
    float3 shade;  /* colour and place of the first thing that is no mirror: */
    float3 place;  /* `smooth` looks for edges in them */
    bool   direct; /* nothing but mirrors and glass since the last dull surface */
    bool   marked;
    bool   done;
};

static __device__ void mark(path &w, float3 colour, float3 normal)
{
    if (w.marked) return;
    w.marked = true;
    w.shade = w.weight * colour;
    w.place = normal;
}

static __device__ void add_light(path &w, float3 light, int bounce)
{
    float3 more = w.weight * light;
    float  most = largest(more);
    float  limit = bounce == 0 ? 40.0f : 6.0f; /* a lucky path shall not spoil its pixel */
    if (most > limit) more = more * (limit / most);
    w.light = w.light + more;
}

static __device__ void leave_by(path &w, float3 p, float3 d, float3 weight)
{
    w.origin = p;
    w.direction = d;
    w.weight = w.weight * weight;
}

static __device__ void meet_metal(path &w, float3 p, float3 n, int what, random &r)
{
    float3 colour = colour_of(what);
    float  rough = sphere_roughness[what];
    float3 d = mirror(w.direction, n);
    float  cosine = -dot(w.direction, n);
    if (rough > 0.0f) {
        float2 u = next_pair(r);
        d = unit(d + around(d, 1.0f - 2.0f * u.x, u.y) * (rough * sqrtf(u.y)));
        mark(w, colour, n);
    }
    if (dot(d, n) <= 0.0f) w.done = true;
    leave_by(w, p, d, mix(colour, vec(1.0f, 1.0f, 1.0f), fresnel(cosine, 0.0f)));
}

static __device__ void meet_glass(path &w, float3 p, float3 n, int what, random &r)
{
    bool   inside = dot(w.direction, n) > 0.0f;
    float3 face = inside ? n * -1.0f : n;
    float  ratio = inside ? 1.52f : 1.0f / 1.52f;
    float  cosine = -dot(w.direction, face);
    float  square = 1.0f - ratio * ratio * (1.0f - cosine * cosine);
    float  bent = sqrtf(square > 0.0f ? square : 0.0f);
    float  reflected = square > 0.0f ? fresnel(inside ? bent : cosine, 0.0426f) : 1.0f;
    if (next_pair(r).x < reflected) {
        leave_by(w, p, mirror(w.direction, face), vec(1.0f, 1.0f, 1.0f));
        return;
    }
    float3 d = w.direction * ratio + face * (ratio * cosine - bent);
    leave_by(w, p, unit(d), inside ? vec(1.0f, 1.0f, 1.0f) : colour_of(what));
}

/* A dull body under a clear coat: the coat mirrors, the body scatters. */
static __device__ void meet_coated(path &w, float3 p, float3 n, float3 colour, float coat, random &r)
{
    float share = fresnel(-dot(w.direction, n), coat);
    float chance = 0.2f + 0.6f * share; /* the mirror image is sharp, so it wants more samples */
    mark(w, colour, n);
    if (next_pair(r).x < chance) {
        float one = share / chance;
        leave_by(w, p, mirror(w.direction, n), vec(one, one, one));
        w.direct = true;
        return;
    }
    w.weight = w.weight * colour * ((1.0f - share) / (1.0f - chance));
    float3 lit = lamp_light(p, n, r);
    add_light(w, lit, w.direct ? 0 : 1);
    float2 u = next_pair(r);
    leave_by(w, p, around(n, sqrtf(1.0f - u.x), u.y), vec(1.0f, 1.0f, 1.0f));
    w.direct = false;
}

/* The floor melts into the sky far away. */
static __device__ void meet_floor(path &w, float distance, random &r)
{
    float3 p = w.origin + w.direction * distance;
    float  span = dot(p, p) * (1.0f / 420.0f);
    float  near = 1.0f / (1.0f + span * span);
    float3 haze = sky(vec(w.direction.x, 0.0f, w.direction.z));
    p.y = 0.0f;
    add_light(w, haze * (1.0f - near), 1);
    w.weight = w.weight * near;
    meet_coated(w, p, vec(0.0f, 1.0f, 0.0f), floor_colour(p), 0.07f, r);
}

static __device__ void step(path &w, int bounce, random &r)
{
    float distance;
    int   what = nearest(distance, w.origin, w.direction);
    if (what == SKY) {
        float3 light = sky(w.direction);
        mark(w, light, vec(0.0f, 0.0f, 0.0f));
        add_light(w, light, bounce);
        w.done = true;
        return;
    }
    if (what == FLOOR) {
        meet_floor(w, distance, r);
        return;
    }
    float3 p = w.origin + w.direction * distance;
    float3 n = (p - centre_of(what)) * (1.0f / sphere_radius[what]);
    switch (sphere_material[what]) {
    case METAL: meet_metal(w, p, n, what, r); break;
    case GLASS: meet_glass(w, p, n, what, r); break;
    case PLASTIC: meet_coated(w, p, n, colour_of(what), 0.045f, r); break;
    case LAMP:
        mark(w, colour_of(what), n);
        if (w.direct) add_light(w, colour_of(what), bounce);
        w.done = true;
        break;
    }
}

static __device__ void follow(path &w, random &r)
{
    for (int bounce = 0; bounce < BOUNCES_MAX && !w.done; bounce++) {
        step(w, bounce, r);
        float most = largest(w.weight);
        if (bounce < 2 || w.done) continue;
        float keep = most < 0.95f ? most + 0.05f : 1.0f; /* dim paths end early, by lot */
        if (next_pair(r).y >= keep) w.done = true;
        w.weight = w.weight * (1.0f / keep);
    }
}

/* ---- the camera, which swings about the scene ------------------------------------------------------------- */

static __device__ path look(int x, int row, random &r)
{
    float  angle = (float)(row / HEIGHT) * (2.0f * PI / FRAMES);
    float  swing, rise;
    sincosf(angle, &swing, &rise);
    float  s, c;
    sincosf(0.62f * swing, &s, &c);
    float  away_from = 6.6f - 0.5f * rise;
    float3 eye = vec(0.35f + away_from * s, 1.9f + 0.75f * rise, away_from * c);
    float3 forward = unit(vec(-0.02f, 0.70f, 0.0f) - eye);
    float3 right = unit(vec(-forward.z, 0.0f, forward.x));
    float3 up = vec(-right.z * forward.y, right.z * forward.x - right.x * forward.z,
                    right.x * forward.y);
    const float focus = 6.05f, lens = 0.03f, zoom = 0.40f;
    float2 jitter = next_pair(r);
    float2 u = next_pair(r);
    float2 side = on_circle(u.x);
    float  scale = 2.0f * zoom / (float)HEIGHT;
    float  px = ((float)x + jitter.x - 0.5f * (float)WIDTH) * scale;
    float  py = (0.5f * (float)HEIGHT - (float)(row % HEIGHT) - jitter.y) * scale;
    float3 aim = eye + (forward + right * px + up * py) * focus;
    float  away = lens * sqrtf(u.y);
    path   w = {};
    w.origin = eye + right * (away * side.y) + up * (away * side.x);
    w.direction = unit(aim - w.origin);
    w.weight = vec(1.0f, 1.0f, 1.0f);
    w.direct = true;
    return w;
}

static __device__ __forceinline__ float4 widen(float3 a, float w)
{
    return make_float4(a.x, a.y, a.z, w);
}

/* ---- kernels ---------------------------------------------------------------------------------------------- */

/* Where a part's line lies in the strip: line 0 is EDGE rows above its first. */
static __device__ __forceinline__ int row_of(int line, int part, int rows)
{
    return part * rows - EDGE + line;
}
/* Whether a line matters: the part's own, and its neighbours' in the same frame. */
static __device__ __forceinline__ bool matters(int line, int part, int rows)
{
    int row = row_of(line, part, rows);
    int first = part * rows, last = first + rows - 1;
    if (line >= rows + 2 * EDGE || row < 0) return false;
    if (row < first) return row / HEIGHT == first / HEIGHT;
    return row <= last || row / HEIGHT == last / HEIGHT;
}

__global__ void trace(float4 *light, float4 *shade, float4 *place, int part, int rows, int samples)
{
    int x = blockIdx.x * blockDim.x + threadIdx.x;
    int line = blockIdx.y * blockDim.y + threadIdx.y;
    int row = row_of(line, part, rows), at = line * WIDTH + x;
    if (!matters(line, part, rows)) return;
    float3 sum = vec(0, 0, 0), shades = vec(0, 0, 0), places = vec(0, 0, 0);
    float  squares = 0.0f, shade_squares = 0.0f, scale = 1.0f / (float)samples;
    for (int i = 0; i < samples; i++) {
        random r = {scramble((unsigned)(row * WIDTH + x)), (unsigned)i, (unsigned)samples - 1, 0};
        path   w = look(x, row, r);
        follow(w, r);
        float bright = largest(w.light);
        sum = sum + w.light;
        squares += bright * bright;
        shades = shades + w.shade;
        shade_squares += dot(w.shade, w.shade);
        places = places + w.place;
    }
    float3 mean = sum * scale;
    float3 mean_shade = shades * scale;
    float  spread = squares * scale - largest(mean) * largest(mean);
    float  shade_spread = shade_squares * scale - dot(mean_shade, mean_shade);
    light[at] = widen(mean, spread > 0.0f ? spread * scale : 0.0f);
    shade[at] = widen(mean_shade, shade_spread > 0.0f ? shade_spread * scale : 0.0f);
    place[at] = widen(places * scale, 0.0f);
}

static __device__ __forceinline__ float distance2(float4 a, float4 b)
{
    float x = a.x - b.x, y = a.y - b.y, z = a.z - b.z;
    return x * x + y * y + z * z;
}

/* One pass of an edge-avoiding wavelet filter (Dammertz and others 2010): neighbours count as they
 * are alike in shape, colour and, within the noise that was measured, light. */
__global__ void smooth(float4 *out, const float4 *in, const float4 *shade, const float4 *place,
                       int part, int rows, int stride)
{
    const float tap[3] = {0.375f, 0.25f, 0.0625f};
    int         x = blockIdx.x * blockDim.x + threadIdx.x;
    int         line = blockIdx.y * blockDim.y + threadIdx.y;
    int         here = line * WIDTH + x, frame = row_of(line, part, rows) / HEIGHT;
    if (!matters(line, part, rows)) return;
    float4 mine = in[here], shaded = shade[here], placed = place[here];
    float3 sum = vec(0, 0, 0);
    float  weights = 0.0f, noise = 0.0f;
    for (int j = -2; j <= 2; j++) {
        for (int i = -2; i <= 2; i++) {
            int tx = x + i * stride, line_there = line + j * stride;
            if (tx < 0 || tx >= WIDTH || line_there < 0) continue;
            if (!matters(line_there, part, rows)) continue;
            if (row_of(line_there, part, rows) / HEIGHT != frame) continue;
            int    there = line_there * WIDTH + tx;
            float4 theirs = in[there];
            float4 theirs_shaded = shade[there];
            float  blur = 0.010f + 3.0f * (shaded.w + theirs_shaded.w);
            float  unlike = distance2(shaded, theirs_shaded) / blur +
                           distance2(placed, place[there]) * 40.0f +
                           distance2(mine, theirs) / (6.0f * (mine.w + theirs.w) + 1e-5f);
            float w = tap[i < 0 ? -i : i] * tap[j < 0 ? -j : j] / (1.0f + unlike * unlike);
            sum = sum + vec(theirs.x, theirs.y, theirs.z) * w;
            weights += w;
            noise += theirs.w * w * w;
        }
    }
    float scale = 1.0f / weights;
    out[here] = widen(sum * scale, noise * scale * scale);
}

/* Narkowicz's fit of the ACES film curve, then sRGB's exponent. */
static __device__ unsigned char film(float x, float grain)
{
    float mapped = x * (2.51f * x + 0.03f) / (x * (2.43f * x + 0.59f) + 0.14f);
    return (unsigned char)__float2int_rd(__saturatef(powf(__saturatef(mapped), 1.0f / 2.2f) +
                                                     grain) * 255.0f + 0.5f);
}

__global__ void develop(unsigned char *film_rows, const float4 *light, int part, int rows)
{
    int x = blockIdx.x * blockDim.x + threadIdx.x;
    int y = blockIdx.y * blockDim.y + threadIdx.y; /* of the part's own rows */
    int row = part * rows + y, at = y * WIDTH + x;
    if (y >= rows) return;
    float  u = (float)(2 * x + 1) / WIDTH - 1.0f, v = (float)(2 * (row % HEIGHT) + 1) / HEIGHT - 1.0f;
    float  corner = 1.0f - 0.16f * (u * u + v * v);
    float  grain = ((float)(scramble((unsigned)(row * WIDTH + x)) >> 8) * 0x1p-24f - 0.5f) / 255.0f;
    float4 l = light[(y + EDGE) * WIDTH + x];
    film_rows[at * 3] = film(l.x * corner, grain);
    film_rows[at * 3 + 1] = film(l.y * corner, grain);
    film_rows[at * 3 + 2] = film(l.z * corner, grain);
}
