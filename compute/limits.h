/* limits.h - every bound on what a job, a bundle or a running job may ask for. */
#ifndef LEASEHOLD_COMPUTE_LIMITS_H
#define LEASEHOLD_COMPUTE_LIMITS_H

/* job.json and the plan made of it */
#define JOB_JSON_BYTES_MAX     (256u * 1024u)
#define JOB_NAME_SIZE          64 /* of buffers, kernels and files, with the closing zero */
#define JOB_BUFFERS_MAX        64
#define JOB_FILES_MAX          64 /* extra files, such as headers */
#define JOB_LAUNCHES_MAX       256
#define JOB_ARGS_MAX           32
#define JOB_GROUPS_MAX         256
#define JOB_REPEAT_MAX         10000000u
#define JOB_BUFFER_BYTES_MAX   (8ull << 30)
#define JOB_OUTPUT_BYTES_MAX   (1ull << 30) /* all outputs together */
#define JOB_GRID_MAX           2147483647u  /* x; y and z as on the cards: */
#define JOB_GRID_YZ_MAX        65535u
#define JOB_BLOCK_THREADS_MAX  1024u
#define JOB_BLOCK_Z_MAX        64u
#define JOB_SHARED_BYTES_MAX   (96u * 1024u)
#define JOB_FILM_SIDE_MAX      16383u /* what WebP can */
#define JOB_SECONDS_MAX        86400u
#define JOB_SECONDS_DEFAULT    60u
#define JOB_MEMORY_MIB_MAX     (256u * 1024u)
#define JOB_MEMORY_MIB_DEFAULT 1024u
#define PLAN_BYTES_MAX         (1024u * 1024u)

/* traces, audits, checkpoints */
#define TRACE_STEPS_MAX   65536u         /* launches of a traced job, as executed */
#define TRACE_ROOTS_MAX   (256u * 1024u) /* buffers times images: a list of 8 MiB */
#define TRACE_BLOCKS_MAX  (1ull << 62)
#define TRACE_DUMPS_MAX   256u /* images that one run writes out */
#define AUDIT_SAMPLES_MAX 65536u
#define AUDIT_PAGES_MAX   (256u * 1024u) /* 1 GiB of memory that an audit asks for */
#define AUDIT_WRITTEN_MAX 8192u          /* pages that one block or launch may write in an audit */

/* bundles and results */
#define BUNDLE_ENTRIES_MAX 256
#define BUNDLE_BYTES_MAX   (2ull << 30) /* a tar, and what it unpacks to */
#define BUNDLE_PATH_SIZE   128          /* of a file inside, with the closing zero */

/* a run */
#define RUN_LOG_BYTES_MAX     (64u * 1024u)   /* kept of what the compiler and the job print */
#define RUN_CHATTER_BYTES_MAX (1024u * 1024u) /* printed before the job is stopped */
#define RUN_WORK_MIB          256u            /* the tmpfs work directory */
#define RUN_COMPILE_MIB       3072u           /* address space of the compiler */
#define RUN_COMPILE_SECONDS   60u
#define RUN_PROCESSES_MAX     256u
#define RUN_FILES_MAX         64u
#define RUN_GRACE_SECONDS     5u /* for the sandbox itself, beyond the job's seconds */
#define RUN_THREADS_MAX       256u

/* exec: a command in an image */
#define EXEC_ARGS_MAX          256
#define EXEC_ENV_MAX           256
#define EXEC_INPUTS_MAX        64
#define EXEC_OUTPUTS_MAX       64
#define EXEC_PATH_SIZE         256            /* of an output, with the closing zero */
#define EXEC_TEXT_BYTES_MAX    (128u * 1024u) /* command, environment and paths together */
#define EXEC_PLAN_BYTES_MAX    (256u * 1024u)
#define EXEC_DISK_MIB_MAX      (64u * 1024u) /* a tmpfs: memory of the machine */
#define EXEC_DISK_MIB_DEFAULT  256u
#define EXEC_FILES_MAX         100000u /* that it may make */
#define EXEC_OPEN_FILES_MAX    1024u   /* a process */
#define EXEC_PROCESSES_MAX     4096u   /* threads count */
#define EXEC_PROCESSES_DEFAULT 256u

/* its image, unpacked */
#define ROOTFS_BYTES_MAX        (8ull << 30)
#define ROOTFS_ENTRIES_MAX      250000u /* of all layers together */
#define ROOTFS_LAYERS_MAX       128u
#define ROOTFS_RATIO_MAX        100u          /* unpacked for each byte packed, ... */
#define ROOTFS_RATIO_FREE_BYTES (64ull << 20) /* ... beyond these */
#define ROOTFS_PATH_SIZE        4096u
#define ROOTFS_DEPTH_MAX        64u
#define ROOTFS_TOP_MAX          128u            /* entries of its root folder */
#define ROOTFS_JSON_BYTES_MAX   (1024u * 1024u) /* an OCI index, manifest or config */
#define ROOTFS_UNPACK_MIB       1024u           /* address space of the unpacker */
#define ROOTFS_DISK_LEFT_MIN    (1ull << 30)    /* the machine keeps this much disk */

#endif
