using System.Security.Cryptography;
using System.Text;

namespace FwCluster.Control.Access;

/// <summary>
/// Bearer tokens: a line each, <c>operator robot 2c26b46b...</c>, with a role, a name, and the SHA-256 of the token, so that who reads the file
/// has none. Empty lines and those that begin with # are skipped. Read again when the file has changed.
/// </summary>
internal sealed class TokenFile
{
    private readonly string _file;
    private readonly Lock _reading = new();
    private (DateTime Written, IReadOnlyList<Token> Tokens) _read;

    /// <summary>Opens the file.</summary>
    /// <exception cref="AccessFileException">It cannot be read, or a line is wrong.</exception>
    public TokenFile(string file)
    {
        _file = file;
        _read = Read();
    }

    /// <summary>Whose a token is, or null.</summary>
    public (string Name, Role Role)? Find(string token)
    {
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(token));
        (string, Role)? found = null;
        foreach (var known in Current())
            if (CryptographicOperations.FixedTimeEquals(hash, known.Hash))
                found = (known.Name, known.Role);
        return found;
    }

    private IReadOnlyList<Token> Current()
    {
        lock (_reading)
        {
            try
            {
                if (File.GetLastWriteTimeUtc(_file) != _read.Written) _read = Read();
            }
            catch (AccessFileException)
            {
                // What was in the file may have been taken out of it: nobody gets in by it until it is right again.
                _read = (default, []);
            }
            return _read.Tokens;
        }
    }

    private (DateTime, IReadOnlyList<Token>) Read()
    {
        try
        {
            var written = File.GetLastWriteTimeUtc(_file);
            var tokens = new List<Token>();
            var number = 0;
            foreach (var line in File.ReadLines(_file))
            {
                number++;
                if (line.Trim() is { Length: > 0 } text && text[0] != '#') tokens.Add(Parse(text, number));
            }
            return (written, tokens);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new AccessFileException($"{_file}: the tokens cannot be read: {e.Message}", e);
        }
    }

    private Token Parse(string text, int line)
    {
        var words = text.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
        if (words is [var role, var name, { Length: 2 * SHA256.HashSizeInBytes } hash] && RoleExtensions.Parse(role) != Role.None && hash.All(char.IsAsciiHexDigit))
            return new Token(name, RoleExtensions.Parse(role), Convert.FromHexString(hash));
        throw new AccessFileException($"{_file}:{line}: a role (viewer, operator, admin), a name and the SHA-256 of a token in hexadecimal are right here");
    }

    private sealed record Token(string Name, Role Role, byte[] Hash);
}
