using System.Collections.Immutable;

namespace FwCluster.Rules.Text;

/// <summary>
/// Takes the words of a command apart as <c>getopt_long</c> does for iptables, in the order written: long options whole or shortened,
/// <c>--name=value</c>, letters with their value attached or behind, several letters in one word, and <c>!</c> before any.
/// </summary>
/// <param name="words">The words behind the command's name.</param>
/// <param name="end">Stands for the place behind the last word.</param>
/// <param name="errors">Where mistakes go.</param>
internal sealed class OptionScanner(IReadOnlyList<Token> words, Token end, IErrorSink errors)
{
    private int _next;
    private int _letter;
    private Token? _inversion;

    /// <summary>Finds the option that a long name means: all that it could be, and the one that it is exactly.</summary>
    /// <param name="name">The name, maybe shortened, without <c>--</c>.</param>
    public delegate OptionSpec? Lookup(string name);

    /// <summary>Whether unknown options are passed over in silence: an extension that is unknown takes its options with it.</summary>
    public bool IsForgiving { get; set; }

    /// <summary>The next option; null at the end. <paramref name="lookup"/> says what is known at this point; unknown options and stray words are
    /// reported by <paramref name="unknown"/> and left out.</summary>
    public OptionUse? Next(Lookup lookup, Action<Token, string> unknown)
    {
        while (_next < words.Count)
        {
            var word = words[_next];
            if (_letter > 0)
            {
                if (Letter(word) is { } use) return use;
            }
            else if (word.Text == "--")
            {
                _next++;
                if (_next < words.Count) errors.Error(words[_next], $"nothing can follow \"--\"", "leave \"--\" out");
                _next = words.Count;
            }
            else if (word.Text.StartsWith("--", StringComparison.Ordinal))
            {
                if (Long(word, lookup, unknown) is { } use) return use;
            }
            else if (word.Text.Length > 1 && word.Text[0] == '-')
            {
                _letter = 1;
            }
            else
            {
                Stray(word);
            }
        }
        if (_inversion is { } inversion) errors.Error(inversion, "nothing follows this \"!\"", "write it before the option that it turns round");
        _inversion = null;
        return null;
    }

    /// <summary>The next word, where it is neither an option nor <c>!</c>: <c>xs_has_arg</c>.</summary>
    public Token? TryWord()
        => _letter == 0 && _next < words.Count && !(words[_next].Text is ['-' or '!', ..]) ? words[_next++] : null;

    private OptionUse? Long(Token word, Lookup lookup, Action<Token, string> unknown)
    {
        _next++;
        var equals = word.Text.IndexOf('=', StringComparison.Ordinal);
        var name = equals < 0 ? word.Text[2..] : word.Text[2..equals];
        var option = equals < 0 ? word : word.Part(0, equals);
        if (lookup(name) is not { } spec)
        {
            if (!IsForgiving) unknown(option, name);
            SkipValue();
            return null;
        }
        Token? value = equals < 0 ? null : word.Part(equals + 1, word.Text.Length - equals - 1);
        if (spec.Arguments == 0 && value is { } extra)
        {
            errors.Error(extra, $"{option} takes no value");
            value = null;
        }
        return Use(spec, option, value);
    }

    private OptionUse? Letter(Token word)
    {
        var letter = word.Text[_letter];
        var option = word.Text.Length == 2 ? word : (_letter == 1 ? word.Part(0, 2) : word.Part(_letter, 1)) with { Text = "-" + letter };
        var rest = word.Text.Length > _letter + 1 ? word.Part(_letter + 1, word.Text.Length - _letter - 1) : (Token?)null;
        if (!BaseOptions.ByLetter.TryGetValue(letter, out var spec))
        {
            errors.Error(word, $"\"-{letter}\" is not an option", word.Text.Length > 2 ? $"a long option has two dashes: -{word}" : null);
            _letter = 0;
            _next++;
            SkipValue();
            return null;
        }
        if (spec.Arguments == 0 && rest is not null)
        {
            _letter++;
            return Use(spec, option, null);
        }
        _letter = 0;
        _next++;
        return Use(spec, option, rest);
    }

    private OptionUse? Use(OptionSpec spec, Token option, Token? value)
    {
        var inversion = _inversion;
        _inversion = null;
        if (inversion is { } bang && !spec.Invertible)
            errors.Error(bang, $"{option} cannot be turned round by \"!\"");
        if (spec.IsValueSeparate && value is { } joined)
            errors.Error(joined, $"the value of {option} must be a word of its own", $"put a space before \"{joined}\"");
        if (spec.Arguments > 0 && value is null && !spec.IsArgumentOptional)
        {
            if (_next >= words.Count)
            {
                errors.Error(end, $"{option} needs a value");
                return null;
            }
            value = words[_next++];
        }
        ImmutableArray<Token> arguments = value is { } first ? [first] : [];
        while (arguments.Length < spec.Arguments && !spec.IsArgumentOptional)
        {
            if (TryWord() is not { } second)
            {
                errors.Error(_next < words.Count ? words[_next] : end, $"{option} needs {spec.Arguments} values");
                return null;
            }
            arguments = arguments.Add(second);
        }
        return new(spec, option, inversion is not null, arguments);
    }

    private void Stray(Token word)
    {
        _next++;
        if (word.Text == "!")
        {
            if (_inversion is not null) errors.Error(word, "\"!\" stands twice", "write it once, before the option");
            _inversion = word;
            return;
        }
        if (IsForgiving) return;
        var before = _next >= 2 ? words[_next - 2].Text : "";
        errors.Error(word, $"\"{word}\" is not expected here",
            before == "!" ? "write \"!\" before the option: ! --option value"
            : word.Text.StartsWith('!') ? "put a space behind \"!\", and the option behind that"
            : "options begin with - or --");
        SkipValue();
    }

    // One mistake is enough: what belongs to an option that is not known is passed over.
    private void SkipValue()
    {
        _inversion = null;
        while (TryWord() is not null)
        {
        }
    }
}
