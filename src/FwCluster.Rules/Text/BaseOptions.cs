using System.Collections.Frozen;
using System.Collections.Immutable;

namespace FwCluster.Rules.Text;

/// <summary>The options that every rule has, whatever its extensions (<c>original_opts</c> in iptables.c).</summary>
internal static class BaseOptions
{
    /// <summary>All of them; a short option finds its long one by <see cref="ByLetter"/>.</summary>
    public static ImmutableArray<OptionSpec> All { get; } =
    [
        new("append"), new("delete"), new("check"), new("insert"), new("replace"), new("list") { IsArgumentOptional = true },
        new("list-rules") { IsArgumentOptional = true }, new("flush") { IsArgumentOptional = true },
        new("zero") { IsArgumentOptional = true }, new("new-chain"), new("delete-chain") { IsArgumentOptional = true },
        new("rename-chain"), new("policy"),
        new("source") { Aliases = ["src"], Invertible = true, IsValueSeparate = true },
        new("destination") { Aliases = ["dst"], Invertible = true, IsValueSeparate = true },
        new("protocol") { Invertible = true, IsValueSeparate = true }, new("in-interface") { Invertible = true, IsValueSeparate = true },
        new("jump") { IsValueSeparate = true }, new("table"), new("match"), new("numeric", 0),
        new("out-interface") { Invertible = true, IsValueSeparate = true }, new("verbose", 0), new("wait") { IsArgumentOptional = true },
        new("wait-interval") { IsArgumentOptional = true }, new("exact", 0), new("fragments", 0) { Invertible = true },
        new("version", 0), new("help") { IsArgumentOptional = true }, new("line-numbers", 0), new("modprobe"), new("set-counters"),
        new("goto"), new("ipv4", 0), new("ipv6", 0),
    ];

    /// <summary>By each of their names, <c>append</c> to <c>ipv6</c>.</summary>
    public static FrozenDictionary<string, OptionSpec> ByName { get; } =
        All.SelectMany(o => o.Aliases.Prepend(o.Name).Select(n => (Name: n, Option: o))).ToFrozenDictionary(p => p.Name, p => p.Option, StringComparer.Ordinal);

    /// <summary>By letter, <c>-A</c> to <c>-x</c>.</summary>
    public static FrozenDictionary<char, OptionSpec> ByLetter { get; } = new (char Letter, string Name)[]
    {
        ('A', "append"), ('D', "delete"), ('C', "check"), ('I', "insert"), ('R', "replace"), ('L', "list"), ('S', "list-rules"),
        ('F', "flush"), ('Z', "zero"), ('N', "new-chain"), ('X', "delete-chain"), ('E', "rename-chain"), ('P', "policy"), ('s', "source"),
        ('d', "destination"), ('p', "protocol"), ('i', "in-interface"), ('j', "jump"), ('t', "table"), ('m', "match"), ('n', "numeric"),
        ('o', "out-interface"), ('v', "verbose"), ('w', "wait"), ('W', "wait-interval"), ('x', "exact"), ('f', "fragments"),
        ('V', "version"), ('h', "help"), ('M', "modprobe"), ('c', "set-counters"), ('g', "goto"), ('4', "ipv4"), ('6', "ipv6"),
    }.ToFrozenDictionary(p => p.Letter, p => All.Single(o => o.Name == p.Name));

    /// <summary>The letter of an option, for messages: <c>-A</c>; or its long form where it has none.</summary>
    public static string Display(string name)
    {
        foreach (var (letter, spec) in ByLetter)
        {
            if (spec.Name == name) return $"-{letter}";
        }
        return "--" + name;
    }
}
