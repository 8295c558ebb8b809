using FwCluster.Packets;
using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Model;

namespace FwCluster.Rules.Text;

/// <summary>Carries out the commands of a file for one family, as <c>iptables</c> would one after the other, and makes the ruleset.</summary>
/// <param name="family">The family.</param>
/// <param name="settings">What rules refer to.</param>
/// <param name="errors">Where mistakes go.</param>
internal sealed class RulesetBuilder(IpFamily family, ReaderSettings settings, ErrorList errors)
{
    /// <summary>Longest name of a chain, bytes (<c>XT_EXTENSION_MAXNAMELEN</c> - 1).</summary>
    public const int MaxChainName = 28;

    /// <summary>Most rules of a family: an address list makes one rule an address, and two lists make one a pair.</summary>
    public const int MaxRules = 1_000_000;

    private readonly List<TableBuilder> _tables = [];
    private int _rules;
    private readonly List<(TableBuilder Table, Token Word, string Message)> _missing = [];

    /// <summary>True where nothing was said about this family.</summary>
    public bool IsEmpty => _tables.Count == 0;

    /// <summary>The table of this name, empty from now on: <c>*filter</c>.</summary>
    public void Begin(string table)
    {
        var index = _tables.FindIndex(t => t.Name == table);
        if (index >= 0) _tables[index] = new(table);
        else _tables.Add(new(table));
    }

    /// <summary>The line <c>:CHAIN POLICY [packets:bytes]</c>.</summary>
    public void Declare(string tableName, Token name, Token policy, RuleCounters counters)
    {
        var table = Table(tableName);
        var chain = table.Find(name.Text);
        if (chain?.Hook is null)
        {
            NewChain(table, name);
            if (policy.Text != "-") errors.Error(policy, $"{name} is a user chain: only built-in chains have a policy", "write -");
            return;
        }
        chain.Counters = counters;
        if (policy.Text != "-") SetPolicy(chain, policy);
    }

    /// <summary>Carries out a command.</summary>
    public void Run(Command command)
    {
        if (Tables.Hooks(command.Table).IsEmpty) return;
        var table = Table(command.Table);
        switch (command.Verb)
        {
            case "append" or "insert":
                AddRule(table, command);
                break;
            case "new-chain":
                NewChain(table, command.Chain!.Value);
                break;
            case "policy":
                Policy(table, command);
                break;
            case "flush":
                foreach (var chain in Named(table, command.Chain)) chain.Rules.Clear();
                break;
            case "delete-chain":
                Delete(table, command.Chain);
                break;
            case "zero":
                Zero(table, command);
                break;
        }
    }

    /// <summary>Checks what can be checked only when all is read, and makes the ruleset; after mistakes it is of no use.</summary>
    public Ruleset Build()
    {
        foreach (var (table, word, message) in _missing)
        {
            errors.Error(word, message, table.Find(word.Text) is not null
                ? "it is made further down: make it before its first use"
                : Nearest.Hint(word.Text, table.ChainNames.Concat(Extensions.ExtensionRegistry.Targets.Keys)));
        }
        foreach (var table in _tables) new ChainGraph(table, errors).Check();
        return new(family, [.. _tables.OrderBy(t => FwCluster.Rules.Text.Tables.SavedOrder(t.Name)).Select(t => t.Build())]);
    }

    private TableBuilder Table(string name)
    {
        var table = _tables.Find(t => t.Name == name);
        if (table is null) _tables.Add(table = new(name));
        return table;
    }

    private void NewChain(TableBuilder table, Token name)
    {
        var text = name.Text;
        if (System.Text.Encoding.UTF8.GetByteCount(text) > MaxChainName)
            errors.Error(name, $"the chain name \"{text}\" is longer than {MaxChainName} bytes");
        else if (text.Length == 0 || text[0] is '-' or '!' || text.Any(char.IsWhiteSpace))
            errors.Error(name, $"\"{text}\" cannot be a chain's name", "a name has no spaces, and does not begin with - or !");
        else if (Extensions.ExtensionRegistry.Targets.ContainsKey(text) || UnsupportedExtensions.Targets.Contains(text))
            errors.Error(name, $"a chain cannot be called {text}: that is a target's name");
        else if (table.Find(text) is { } chain)
            errors.Error(name, chain.Hook is null ? $"the chain {text} exists already" : $"{text} is a built-in chain of {table.Name}");
        else
            table.Add(text);
    }

    private void Policy(TableBuilder table, Command command)
    {
        if (command.Policy is not { } policy || Named(table, command.Chain) is not [var chain]) return;
        if (chain.Hook is null)
            errors.Error(command.Chain!.Value, $"{chain.Name} is a user chain: only built-in chains have a policy");
        else
            SetPolicy(chain, policy);
        if (command.Options.ContainsKey("set-counters")) chain.Counters = command.Counters;
    }

    private void SetPolicy(ChainBuilder chain, Token policy)
    {
        if (policy.Text is "ACCEPT" or "DROP")
            chain.Policy = policy.Text == "ACCEPT" ? Verdict.Accept : Verdict.Drop;
        else
            errors.Error(policy, $"\"{policy}\" is not a policy", "a policy is ACCEPT or DROP");
    }

    private void Delete(TableBuilder table, Token? name)
    {
        foreach (var chain in Named(table, name).Where(c => name is not null || c.Hook is null))
        {
            var at = name ?? default;
            if (chain.Hook is not null) errors.Error(at, $"{chain.Name} is a built-in chain and cannot be removed");
            else if (name is not null && chain.Rules.Count > 0) errors.Error(at, $"the chain {chain.Name} is not empty", $"flush it before: -F {chain.Name}");
            else if (name is not null && table.Chains.Any(c => c.Rules.Any(r => r.Rule.Chain == chain.Name)))
                errors.Error(at, $"rules lead to the chain {chain.Name}", "remove those before");
            else table.Remove(chain.Name);
        }
    }

    private void Zero(TableBuilder table, Command command)
    {
        foreach (var chain in Named(table, command.Chain))
        {
            if (command.Number > chain.Rules.Count)
                errors.Error(command.VerbWord, $"{chain.Name} has {chain.Rules.Count} rules");
            if (command.Number == 0) chain.Counters = default;
            for (var i = 0; i < chain.Rules.Count; i++)
            {
                if (command.Number == 0 || command.Number == i + 1)
                    chain.Rules[i] = chain.Rules[i] with { Rule = chain.Rules[i].Rule with { Counters = default } };
            }
        }
    }

    // The chain that a command names, all chains where it names none, none where there is no such chain.
    private ChainBuilder[] Named(TableBuilder table, Token? name)
    {
        if (name is not { } word) return [.. table.Chains];
        if (table.Find(word.Text) is { } chain) return [chain];
        _missing.Add((table, word, $"there is no chain {word} in the table {table.Name}"));
        return [];
    }

    private void AddRule(TableBuilder table, Command command)
    {
        var before = errors.Count;
        var chain = command.Chain is { } name ? Named(table, name).SingleOrDefault() : null;
        var jump = command.Target is null ? command.Jump : null;
        if (jump is { } word) CheckJump(table, command, word);
        var scope = new RuleScope(
            family, table.Name, command.Chain?.Text ?? "", command.Protocol, command.IsProtocolInverted, settings);
        var extensions = new List<ExtensionUse>(command.Matches);
        if (command.Target is not null) extensions.Add(command.Target);
        foreach (var use in extensions) CheckScope(use, scope);
        var rules = new RuleFactory(command, scope, errors).Make();
        _rules += rules.Count;
        if (_rules > MaxRules)
        {
            if (_rules - rules.Count <= MaxRules) errors.Error(command.VerbWord, $"with this there are more than {MaxRules} rules");
            return;
        }
        if (chain is null || errors.Count > before) return;
        if (command.Number > chain.Rules.Count + 1)
        {
            errors.Error(command.VerbWord, $"rule {command.Number} of {chain.Name} cannot be: it has {chain.Rules.Count} so far");
            return;
        }
        var limited = extensions.Where(e => !e.Extension.Scope.Hooks.IsEmpty).ToArray();
        foreach (var rule in rules)
        {
            var builder = new RuleBuilder(rule, jump, limited);
            // An address list makes several rules; each is put where the command says, as iptables does, so the last comes first.
            if (command.Verb == "append") chain.Rules.Add(builder);
            else chain.Rules.Insert(command.Number - 1, builder);
        }
    }

    private void CheckJump(TableBuilder table, Command command, Token word)
    {
        if (table.Find(word.Text) is { } target)
        {
            if (target.Hook is not null) errors.Error(word, $"no rule can lead to {word}: it is a built-in chain");
            return;
        }
        if (UnsupportedExtensions.Targets.Contains(word.Text) && !command.IsGoto)
            errors.Error(word, $"the target {word} is not supported");
        else if (command.IsGoto && Extensions.ExtensionRegistry.Targets.ContainsKey(word.Text))
            errors.Error(word, $"-g leads to a chain, and {word} is a target", $"write -j {word}");
        else
            _missing.Add((table, word, command.IsGoto ? $"there is no chain {word}" : $"there is neither a target nor a chain {word}"));
    }

    // What xt_check_match and xt_check_target ask, but for the hooks, which are known only when all is read.
    private void CheckScope(ExtensionUse use, RuleScope rule)
    {
        var scope = use.Extension.Scope;
        var name = use.Extension.Name;
        if (!scope.Tables.IsEmpty && !scope.Tables.Contains(rule.Table))
            errors.Error(use.Word, $"{name} cannot be used in the table {rule.Table}", $"it is for {string.Join(" and ", scope.Tables)}");
        if (scope.Protocols.IsEmpty || (scope.Protocols.Contains(rule.Protocol) && !rule.IsProtocolInverted)) return;
        var protocols = string.Join(" or ", scope.Protocols.Select(p => "-p " + ProtocolNames.Name(p)));
        errors.Error(use.Word, $"{name} needs {protocols}", rule.IsProtocolInverted ? "without \"!\"" : null);
    }
}
