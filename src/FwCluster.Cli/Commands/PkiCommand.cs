using System.CommandLine;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using FwCluster.Cli.Pki;

namespace FwCluster.Cli.Commands;

/// <summary><c>fwctl pki</c>: certificates for those who have no authority of their own.</summary>
internal static class PkiCommand
{
    private const string Sections = """
        Examples:
          fwctl pki ca
              An authority: ca.crt, which nodes and clients have, and ca.key, which stays here.
          fwctl pki node gateway1 --host gateway1.example.net --host 192.0.2.1
          fwctl pki client alice --role operator --days 30
          fwctl pki token robot --role viewer
              A token, and the line for the nodes' file of tokens (control.tokens).

        Exit codes:
          0   done
          1   a file is there already, or cannot be read or written

        """;

    public static Command Create()
    {
        var directory = new Option<string>("--directory", "-d") { HelpName = "DIR", Description = "Where the files are [.].", DefaultValueFactory = _ => "." };
        var command = new Command("pki", "Makes certificates and tokens for the control plane.") { Ca(directory), Node(directory), Client(directory), Token() };
        HelpWithExamples.Describe(command, Sections);
        return command;
    }

    private static Command Ca(Option<string> directory)
    {
        var name = new Option<string>("--name") { HelpName = "NAME", Description = "The authority's name.", DefaultValueFactory = _ => "FwCluster authority" };
        var days = Days(3650);
        var command = new Command("ca", "Makes an authority: ca.crt and ca.key.") { name, days, directory };
        HelpWithExamples.Describe(command, Sections);
        command.SetAction(parsed => Write(
            parsed, directory, "ca", CertificateMaker.Authority(parsed.GetRequiredValue(name), DateTimeOffset.UtcNow, TimeSpan.FromDays(parsed.GetValue(days)))));
        return command;
    }

    private static Command Node(Option<string> directory)
    {
        var name = new Argument<string>("NAME") { Description = "The node's name, as in control.name." };
        var hosts = new Option<string[]>("--host") { HelpName = "HOST", Description = "A name or an address by which clients reach it (repeat it for each) [NAME]." };
        var days = Days(365);
        var command = new Command("node", "Makes a node's certificate: NAME.crt and NAME.key.") { name, hosts, days, directory };
        HelpWithExamples.Describe(command, Sections);
        command.SetAction(parsed =>
        {
            var node = FileName(parsed.GetRequiredValue(name));
            var reached = parsed.GetValue(hosts) is { Length: > 0 } given ? given : [node];
            using var authority = ReadAuthority(parsed.GetRequiredValue(directory));
            return Write(parsed, directory, node, CertificateMaker.Node(authority, node, reached, DateTimeOffset.UtcNow, TimeSpan.FromDays(parsed.GetValue(days))));
        });
        return command;
    }

    private static Command Client(Option<string> directory)
    {
        var name = new Argument<string>("NAME") { Description = "Who it is for: the name that history and audit show." };
        var role = Role();
        var days = Days(90);
        var command = new Command("client", "Makes a client's certificate: NAME.crt and NAME.key.") { name, role, days, directory };
        HelpWithExamples.Describe(command, Sections);
        command.SetAction(parsed =>
        {
            var client = FileName(parsed.GetRequiredValue(name));
            using var authority = ReadAuthority(parsed.GetRequiredValue(directory));
            return Write(parsed, directory, client,
                CertificateMaker.Client(authority, client, parsed.GetRequiredValue(role), DateTimeOffset.UtcNow, TimeSpan.FromDays(parsed.GetValue(days))));
        });
        return command;
    }

    private static Command Token()
    {
        var name = new Argument<string>("NAME") { Description = "Who it is for: the name that history and audit show." };
        var role = Role();
        var command = new Command("token", "Makes a bearer token, and the line for the nodes' file of tokens.") { name, role };
        HelpWithExamples.Describe(command, Sections);
        command.SetAction(parsed =>
        {
            var token = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
            var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(token)));
            var output = parsed.InvocationConfiguration.Output;
            output.Write($"{token}\n");
            parsed.InvocationConfiguration.Error.Write($"{parsed.GetRequiredValue(role)} {FileName(parsed.GetRequiredValue(name))} {hash}\n");
            return ExitCode.Ok;
        });
        return command;
    }

    private static Option<string> Role()
    {
        var role = new Option<string>("--role") { HelpName = "ROLE", Description = "viewer looks; operator changes rules, connections, counters and helpers; admin the rest, too.", Required = true };
        role.AcceptOnlyFromAmong("viewer", "operator", "admin");
        return role;
    }

    private static Option<int> Days(int usual)
    {
        var days = new Option<int>("--days") { HelpName = "N", Description = $"Days that it is valid [{usual}].", DefaultValueFactory = _ => usual };
        days.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < 1 or > 36_500) result.AddError("--days: a number from 1 to 36500 is right");
        });
        return days;
    }

    private static string FileName(string name)
        => name.Length > 0 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_' or '@') && name[0] != '.'
            ? name
            : throw new FwctlException($"'{name}' is no name here: letters, digits, '.', '-', '_' and '@' are right");

    private static X509Certificate2 ReadAuthority(string folder)
    {
        var (certificate, key) = (Path.Combine(folder, "ca.crt"), Path.Combine(folder, "ca.key"));
        try
        {
            return X509Certificate2.CreateFromPemFile(certificate, key);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new FwctlException($"{FileMessage.For("cannot read", certificate, e)}; fwctl pki ca makes an authority", e);
        }
    }

    private static int Write(ParseResult parsed, Option<string> directory, string name, CertificateAndKey made)
    {
        var path = Path.Combine(parsed.GetRequiredValue(directory), name);
        try
        {
            Directory.CreateDirectory(parsed.GetRequiredValue(directory));
            // A key that is replaced by accident is lost: nothing is written over.
            WriteNew(path + ".key", made.Key, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            WriteNew(path + ".crt", made.Certificate, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FwctlException($"cannot write {path}.key and {path}.crt: {e.Message}", e);
        }
        parsed.InvocationConfiguration.Output.Write($"{path}.crt\n{path}.key\n");
        return ExitCode.Ok;
    }

    private static void WriteNew(string path, string text, UnixFileMode mode)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = mode;
        using var file = new StreamWriter(path, Encoding.ASCII, options);
        file.Write(text);
    }
}
