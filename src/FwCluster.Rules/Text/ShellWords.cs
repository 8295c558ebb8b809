using System.Text;

namespace FwCluster.Rules.Text;

/// <summary>
/// Splits command lines into words as a shell does: single and double quotes, backslashes, continued lines, comments. What a shell would
/// *do* something with (variables, pipes, several commands on a line ...) is a mistake here: guessing its outcome would make a different
/// firewall.
/// </summary>
/// <param name="lines">The lines of the file.</param>
/// <param name="errors">Where mistakes go.</param>
internal sealed class ShellWords(string[] lines, IErrorSink errors)
{
    private const string Special = "$`;&|<>()";
    private readonly StringBuilder _word = new();
    private readonly List<Token> _words = [];
    private int _line;
    private int _column;
    private Token _begin;
    private bool _isQuoted;
    private bool _isInWord;
    private bool _failed;

    /// <summary>The next command's words; empty for a line without any; null after a mistake, which has been reported.</summary>
    /// <param name="line">Index of its first line; then of the line after its last.</param>
    public List<Token>? Next(ref int line)
    {
        (_line, _column, _isInWord, _failed) = (line, 0, false, false);
        _words.Clear();
        while (Step())
        {
        }
        EndWord();
        line = _line + 1;
        return _failed ? null : [.. _words];
    }

    // One character, or a quoted piece; false at the end of the command.
    private bool Step()
    {
        var text = lines[_line];
        if (_column >= text.Length) return false;
        var c = text[_column];
        switch (c)
        {
            case ' ' or '\t':
                EndWord();
                break;
            case '#' when !_isInWord:
                return false;
            case '\\' when _column == text.Length - 1:
                if (_line == lines.Length - 1) return Fail("nothing follows this backslash", "a backslash continues a line on the next");
                _line++;
                _column = 0;
                return true;
            case '\\':
                BeginWord();
                _isQuoted = true;
                _word.Append(text[++_column]);
                break;
            case '\'' or '"':
                return Quoted(c);
            default:
                if (Special.Contains(c, StringComparison.Ordinal))
                    return Fail($"\"{c}\" means something to a shell, and no shell reads this file",
                        c == '$' ? "write the value instead of the variable" : "write one iptables command a line; put the character in quotes if it is meant");
                BeginWord();
                _word.Append(c);
                break;
        }
        _column++;
        return true;
    }

    private bool Quoted(char quote)
    {
        BeginWord();
        _isQuoted = true;
        var text = lines[_line];
        var (openLine, open) = (_line, _column);
        for (_column++; ; _column++)
        {
            if (_column >= text.Length)
            {
                (_line, _column) = (openLine, open);
                return Fail("this quote is not closed on its line", $"put a {quote} at the end of the text");
            }
            var c = text[_column];
            if (c == quote) break;
            if (quote == '"' && c is ('$' or '`'))
                return Fail($"\"{c}\" means something to a shell, and no shell reads this file", "put the text in single quotes");
            if (quote == '"' && c == '\\' && _column + 1 < text.Length && text[_column + 1] is ('"' or '\\' or '$' or '`'))
                c = text[++_column];
            _word.Append(c);
        }
        _column++;
        return true;
    }

    private bool Fail(string message, string hint)
    {
        errors.Error(new("", _line + 1, _column + 1, 1, false), message, hint);
        _failed = true;
        // A continued line belongs to the same command: go on behind it.
        while (_line < lines.Length - 1 && lines[_line].EndsWith('\\')) _line++;
        return false;
    }

    private void BeginWord()
    {
        if (_isInWord) return;
        _isInWord = true;
        _isQuoted = false;
        _begin = new("", _line + 1, _column + 1, 0, false);
    }

    private void EndWord()
    {
        if (!_isInWord) return;
        _isInWord = false;
        var length = _begin.Line == _line + 1 ? _column + 1 - _begin.Column : lines[_begin.Line - 1].Length + 1 - _begin.Column;
        _words.Add(new(_word.ToString(), _begin.Line, _begin.Column, length, _isQuoted));
        _word.Clear();
    }
}
