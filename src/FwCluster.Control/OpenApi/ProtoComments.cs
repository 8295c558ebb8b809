using System.Text;
using System.Text.RegularExpressions;

namespace FwCluster.Control.OpenApi;

/// <summary>
/// The comments of the protos, by what they stand before. The compiler leaves them out of the descriptors, so they are read from the
/// files, which are with the program.
/// </summary>
internal static partial class ProtoComments
{
    private const string Package = "fwcluster.v1";

    private static readonly Dictionary<string, string> All = Read();

    /// <summary>The comment of a message, a field, an enum's value or a method, by its full name; empty where it has none.</summary>
    public static string Of(string fullName) => All.GetValueOrDefault(fullName, "");

    private static Dictionary<string, string> Read()
    {
        var comments = new Dictionary<string, string>(StringComparer.Ordinal);
        var assembly = typeof(ProtoComments).Assembly;
        foreach (var file in assembly.GetManifestResourceNames().Where(name => name.EndsWith(".proto", StringComparison.Ordinal)))
        {
            using var reader = new StreamReader(assembly.GetManifestResourceStream(file)!);
            Read(reader, comments);
        }
        return comments;
    }

    private static void Read(TextReader reader, Dictionary<string, string> comments)
    {
        var scopes = new Stack<string>([Package]);
        var comment = new StringBuilder();
        while (reader.ReadLine()?.Trim() is { } line)
        {
            if (line.StartsWith("//", StringComparison.Ordinal))
            {
                var text = line[2..].Trim();
                comment.Append(text.Length == 0 ? "\n\n" : comment.Length == 0 || comment[^1] == '\n' ? text : " " + text);
                continue;
            }
            var declared = Declaration().Match(line);
            var (scope, member) = (declared.Groups[1].Value, declared.Groups[2].Value);
            if (declared.Success) comments[$"{scopes.Peek()}.{scope}{member}"] = comment.ToString();
            // A brace that opens and does not close in its line opens a scope.
            var depth = line.Count(c => c == '{') - line.Count(c => c == '}');
            if (depth > 0) scopes.Push(scope.Length > 0 ? $"{scopes.Peek()}.{scope}" : scopes.Peek());
            else if (depth < 0) scopes.Pop();
            comment.Clear();
        }
    }

    /// <summary>A message, an enum, a service or a method; or a field or an enum's value.</summary>
    [GeneratedRegex(@"^(?:message|enum|service|rpc) (\w+)|^(?:[\w.<>, ]+ )?(\w+) = \d+;")]
    private static partial Regex Declaration();
}
