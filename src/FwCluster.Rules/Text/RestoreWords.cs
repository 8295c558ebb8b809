using System.Text;

namespace FwCluster.Rules.Text;

/// <summary>Splits a line of restore text into words exactly as <c>add_param_to_argv</c> in iptables' xshared.c does: double quotes only, the
/// closing one ends the word, a backslash counts inside them only.</summary>
internal static class RestoreWords
{
    private const int MaxWord = 1023;
    private const int MaxWords = 250;
    private const int MaxCharacter = 3; // bytes of UTF-8 that a char of UTF-16 makes

    /// <summary>Splits <paramref name="line"/> from <paramref name="start"/> on; null after a mistake.</summary>
    public static List<Token>? Split(string line, int start, int lineNumber, IErrorSink errors)
    {
        var words = new List<Token>(16);
        if (line.AsSpan(start).Contains('"')) return SplitQuoted(line, start, lineNumber, words, errors);
        for (var i = start; i < line.Length;)
        {
            var length = line.AsSpan(i).IndexOfAny(' ', '\t') is var blank and >= 0 ? blank : line.Length - i;
            if (length > 0) words.Add(new(line.Substring(i, length), lineNumber, i + 1, length, false));
            i += length + 1;
        }
        return Check(words, errors) ? words : null;
    }

    private static List<Token>? SplitQuoted(string line, int start, int lineNumber, List<Token> words, IErrorSink errors)
    {
        var word = new StringBuilder();
        var (begin, isOpen, isQuoted) = (-1, false, false);
        var quote = 0;
        for (var i = start; i < line.Length; i++)
        {
            var c = line[i];
            if (isOpen && c == '\\')
            {
                if (++i < line.Length) word.Append(line[i]);
            }
            else if (isOpen && c != '"')
            {
                word.Append(c);
            }
            else if (!isOpen && c == '"')
            {
                if (begin < 0) begin = i;
                (isOpen, isQuoted, quote) = (true, true, i);
            }
            else if (isOpen || c is ' ' or '\t')
            {
                var end = isOpen ? i + 1 : i;
                isOpen = false;
                if (begin < 0) continue;
                words.Add(new(word.ToString(), lineNumber, begin + 1, end - begin, isQuoted));
                word.Clear();
                (begin, isQuoted) = (-1, false);
            }
            else
            {
                if (begin < 0) begin = i;
                word.Append(c);
            }
        }
        if (isOpen)
        {
            errors.Error(new("\"", lineNumber, quote + 1, 1, true), "this quote is not closed", "put a \" at the end of the text");
            return null;
        }
        if (begin >= 0) words.Add(new(word.ToString(), lineNumber, begin + 1, line.Length - begin, isQuoted));
        return Check(words, errors) ? words : null;
    }

    /// <summary>The limits of <c>xt_param_buf</c> and <c>MAX_ARGC</c>.</summary>
    public static bool Check(List<Token> words, IErrorSink errors)
    {
        foreach (var word in words)
        {
            if (word.Text.Length <= MaxWord / MaxCharacter || Encoding.UTF8.GetByteCount(word.Text) <= MaxWord) continue;
            errors.Error(word, $"this word is longer than {MaxWord} bytes");
            return false;
        }
        if (words.Count <= MaxWords) return true;
        errors.Error(words[MaxWords], $"a rule may have {MaxWords} words at most");
        return false;
    }
}
