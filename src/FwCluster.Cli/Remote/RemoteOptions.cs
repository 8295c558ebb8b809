using System.CommandLine;

namespace FwCluster.Cli.Remote;

/// <summary>The words that every command over a control plane takes.</summary>
internal static class RemoteOptions
{
    /// <summary>What the help of these commands ends with.</summary>
    public const string Sections = """
        Endpoints:
          --endpoint takes unix:/run/fwclusterd/control.sock, gateway1:4054 (TLS) or http://127.0.0.1:4055 (plain text, this machine
          only). Without any, the context says them, and without a context it is the daemon on this machine. Contexts stand in
          ~/.config/fwcluster/fwctl.yaml (or FWCTL_CONFIG); --context, FWCTL_CONTEXT or 'current' there chooses one:
            current: lab
            contexts:
              lab:
                endpoints: [gateway1:4054, gateway2:4054]
                authority: ca.crt
                certificate: alice.crt
                key: alice.key

        Exit codes:
          0   done
          1   the command line or a file is wrong, or the request was refused for what is in it
          3   no endpoint could be reached, or the node cannot do it now
          4   not allowed: no certificate or token, a wrong one, or a role too low
          5   another generation is in force than the one that was expected
          6   done, but for nodes that could not be asked: they are named on the standard error
          130 stopped by Ctrl-C

        """;

    private static readonly Option<string[]> Endpoints = new("--endpoint", "-e") { HelpName = "ENDPOINT", Description = "Where the control plane listens (repeat it for each: they are tried in turn)." };
    private static readonly Option<string?> ContextName = new("--context") { HelpName = "NAME", Description = "The context of the configuration file." };
    private static readonly Option<string?> Authority = new("--authority") { HelpName = "FILE", Description = "The certificate of the nodes' authority, PEM." };
    private static readonly Option<string?> Certificate = new("--certificate") { HelpName = "FILE", Description = "The client's certificate, PEM." };
    private static readonly Option<string?> Key = new("--key") { HelpName = "FILE", Description = "Its key, PEM." };
    private static readonly Option<string?> TokenFile = new("--token-file") { HelpName = "FILE", Description = "A file with a bearer token." };
    private static readonly Option<bool> Json = new("--json") { Description = "Print JSON." };

    /// <summary>Adds the words to a command.</summary>
    public static void AddTo(Command command)
    {
        foreach (var option in (Option[])[Json, Endpoints, ContextName, Authority, Certificate, Key, TokenFile]) command.Options.Add(option);
    }

    /// <summary>True where JSON is to be printed.</summary>
    public static bool IsJson(ParseResult parsed) => parsed.GetValue(Json);

    /// <summary>Where to go and as whom.</summary>
    /// <exception cref="FwctlException">It is not known.</exception>
    public static Context ContextOf(ParseResult parsed)
    {
        var endpoints = parsed.GetValue(Endpoints) ?? [];
        var context = endpoints.Length > 0 && parsed.GetValue(ContextName) is null
            ? new Context { Endpoints = [.. endpoints.Select(Endpoint.Parse)] }
            : Context.Read(parsed.GetValue(ContextName));
        if (endpoints.Length > 0) context = context with { Endpoints = [.. endpoints.Select(Endpoint.Parse)] };
        return context with
        {
            Authority = parsed.GetValue(Authority) ?? context.Authority,
            Certificate = parsed.GetValue(Certificate) ?? context.Certificate,
            Key = parsed.GetValue(Key) ?? context.Key,
            TokenFile = parsed.GetValue(TokenFile) ?? context.TokenFile,
        };
    }
}
