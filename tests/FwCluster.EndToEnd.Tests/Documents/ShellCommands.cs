using System.Text;

namespace FwCluster.EndToEnd.Tests.Documents;

/// <summary>Takes the text of a shell apart into its commands, as far as documents use the language: quotes, pipes, lists, substitutions, redirections,
/// here-documents, loops. Nothing is expanded: a variable stays as it is written.</summary>
internal sealed class ShellCommands
{
    private static readonly HashSet<string> Keywords = ["do", "done", "then", "else", "fi", "if", "while", "until", "!", "{", "}", "time"];

    private readonly string _text;
    private readonly List<IReadOnlyList<string>> _commands = [];
    private readonly List<string> _hereDocuments = [];
    private int _at;

    private ShellCommands(string text) => _text = text;

    /// <summary>The words of each command, the program first; without assignments and redirections.</summary>
    public static IReadOnlyList<IReadOnlyList<string>> Of(string text)
    {
        var shell = new ShellCommands(text);
        shell.ReadUntil('\0');
        return shell._commands;
    }

    private char Now => _at < _text.Length ? _text[_at] : '\0';

    private char Next => _at + 1 < _text.Length ? _text[_at + 1] : '\0';

    private void ReadUntil(char end)
    {
        var words = new List<string>();
        while (true)
        {
            switch (Now)
            {
                case '\0':
                    Finish(words);
                    return;
                case ')' when end == ')':
                    _at++;
                    Finish(words);
                    return;
                case ' ' or '\t':
                    _at++;
                    break;
                case '\\' when Next == '\n':
                    _at += 2;
                    break;
                case '#':
                    while (Now is not ('\n' or '\0')) _at++;
                    break;
                case '\n':
                    _at++;
                    Finish(words);
                    SkipHereDocuments();
                    break;
                case ';' or '|' or '&' when !(Now == '&' && Next == '>'):
                    _at++;
                    Finish(words);
                    break;
                case '(' or ')':
                    _at++;
                    Finish(words);
                    break;
                case '<' or '>' when Next == '(':
                    _at += 2;
                    ReadUntil(')');
                    words.Add("/dev/fd/63");
                    break;
                case '<' or '>' or '&':
                    ReadRedirection();
                    break;
                default:
                    var word = ReadWord();
                    if (Now is '<' or '>' && word.All(char.IsAsciiDigit)) ReadRedirection();
                    else words.Add(word);
                    break;
            }
        }
    }

    private void ReadRedirection()
    {
        var isHere = Now == '<' && Next == '<';
        while (Now is '<' or '>' or '&') _at++;
        while (Now == ' ') _at++;
        var target = ReadWord();
        if (isHere) _hereDocuments.Add(target);
    }

    private void SkipHereDocuments()
    {
        foreach (var last in _hereDocuments)
        {
            while (_at < _text.Length)
            {
                var end = _text.IndexOf('\n', _at);
                if (end < 0) end = _text.Length;
                var line = _text[_at..end];
                _at = Math.Min(end + 1, _text.Length);
                if (line == last) break;
            }
        }
        _hereDocuments.Clear();
    }

    private string ReadWord()
    {
        var word = new StringBuilder();
        var quote = '\0';
        while (_at < _text.Length)
        {
            var c = Now;
            if (quote == '\0' && (c is ' ' or '\t' or '\n' or ';' or '|' or '&' or '<' or '>' or ')' or '(')) break;
            if (c == '$' && Next == '(' && quote != '\'')
            {
                _at += 2;
                var from = _at;
                ReadUntil(')');
                word.Append("$(").Append(_text, from, _at - from);
                continue;
            }
            _at++;
            if (c == quote) quote = '\0';
            else if (quote == '\0' && (c is '\'' or '"')) quote = c;
            else if (c == '\\' && quote != '\'' && _at < _text.Length) word.Append(_text[_at++]);
            else word.Append(c);
        }
        return word.ToString();
    }

    private void Finish(List<string> words)
    {
        while (words.Count > 0 && (Keywords.Contains(words[0]) || IsAssignment(words[0]))) words.RemoveAt(0);
        if (words.Count > 0 && words[0] is not ("for" or "case" or "in" or "esac")) _commands.Add([.. words]);
        words.Clear();
    }

    private static bool IsAssignment(string word)
    {
        var equals = word.IndexOf('=', StringComparison.Ordinal);
        return equals > 0 && word[..equals].All(c => char.IsAsciiLetterOrDigit(c) || c == '_') && !char.IsAsciiDigit(word[0]);
    }
}
