using System.Collections.Immutable;
using FwCluster.Rules.Extensions.Matches;
using FwCluster.Rules.Model;

namespace FwCluster.Rules.Text;

/// <summary>Makes the rules of one command: several where it lists addresses, each with matches and a target of its own.</summary>
/// <param name="command">The command.</param>
/// <param name="scope">Where it stands.</param>
/// <param name="errors">Where mistakes go.</param>
internal sealed class RuleFactory(Command command, RuleScope scope, ErrorList errors)
{
    /// <summary>The rules, for every source every destination, in the order of the lists.</summary>
    public List<Rule> Make()
    {
        var sources = Addresses("source");
        var destinations = Addresses("destination");
        var rules = new List<Rule>();
        var before = errors.Count;
        foreach (var source in sources)
        {
            foreach (var destination in destinations)
            {
                rules.Add(Make(source, destination));
                // The same mistakes would be told again for every address.
                if (errors.Count > before) return rules;
            }
        }
        return rules;
    }

    private Rule Make(MaskedAddress source, MaskedAddress destination)
    {
        var matches = ImmutableArray.CreateBuilder<Match>();
        var ip = Ip(source, destination);
        if (!ip.IsEmpty) matches.Add(ip);
        foreach (var use in command.Matches)
        {
            if (((MatchExtension)use.Extension).Build(use.Options(scope, errors)) is { } match) matches.Add(match);
        }
        var target = command.Target is { } t ? ((TargetExtension)t.Extension).Build(t.Options(scope, errors)) : null;
        return new(matches.ToImmutable(), target, command.Target is null ? command.Jump?.Text : null, command.IsGoto, command.Counters,
            command.Line);
    }

    private IpMatch Ip(MaskedAddress source, MaskedAddress destination) => new()
    {
        Family = scope.Family,
        Source = source,
        IsSourceInverted = IsInverted("source"),
        Destination = destination,
        IsDestinationInverted = IsInverted("destination"),
        In = Interface("in-interface"),
        Out = Interface("out-interface"),
        Protocol = command.Protocol,
        IsProtocolInverted = command.IsProtocolInverted,
        IsFragment = command.Options.ContainsKey("fragments"),
        IsFragmentInverted = IsInverted("fragments"),
    };

    private bool IsInverted(string option) => command.Options.TryGetValue(option, out var use) && use.IsInverted;

    private InterfacePattern Interface(string option)
        => command.Options.TryGetValue(option, out var use) ? InterfacePattern.Read(errors, use.Word, use.IsInverted) : default;

    private ImmutableArray<MaskedAddress> Addresses(string option)
    {
        if (!command.Options.TryGetValue(option, out var use)) return [default];
        var addresses = AddressWords.List(errors, use.Word, scope.Family);
        if (addresses.Length > 1 && (IsInverted("source") || IsInverted("destination")))
            errors.Error(use.Word, "\"!\" cannot be used in a rule with a list of addresses", "write a rule for each, or use an address set");
        return addresses;
    }
}
