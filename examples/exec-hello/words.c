/* words.c - counts the words of a text: words TEXT RESULT. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define WORDS_MAX 4096
#define WORD_SIZE 32

static struct {
    char text[WORD_SIZE];
    unsigned count;
} words[WORDS_MAX];
static unsigned word_count;

static void count_word(const char *text)
{
    unsigned i = 0;
    while (i < word_count && strcmp(words[i].text, text) != 0)
        i++;
    if (i == WORDS_MAX) return;
    if (i == word_count) snprintf(words[word_count++].text, WORD_SIZE, "%s", text);
    words[i].count++;
}

static void count_words(FILE *in)
{
    char word[WORD_SIZE];
    size_t size = 0;
    for (int c = 0; c != EOF;) {
        c = fgetc(in);
        if (c != EOF && isalpha(c)) {
            if (size < sizeof word - 1) word[size++] = (char)tolower(c);
        } else if (size > 0) {
            word[size] = '\0';
            count_word(word);
            size = 0;
        }
    }
}

int main(int argc, char **argv)
{
    FILE *in = argc == 3 ? fopen(argv[1], "r") : NULL;
    FILE *out = argc == 3 ? fopen(argv[2], "w") : NULL;
    if (in == NULL || out == NULL) {
        perror("words TEXT RESULT");
        return 1;
    }
    count_words(in);
    for (unsigned i = 0; i < word_count; i++)
        fprintf(out, "%4u %s\n", words[i].count, words[i].text);
    return fclose(out) == 0 ? 0 : 1;
}
