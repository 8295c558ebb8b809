using System.Collections.Immutable;
using System.Globalization;
using FwCluster.Packets;
using FwCluster.Rules.Extensions;
using FwCluster.Rules.Model;

namespace FwCluster.Rules.Text;

/// <summary>Reads the words of one command (<c>do_parse</c> in iptables' xshared.c). One instance a command.</summary>
internal sealed class CommandParser
{
    private static readonly string[] Verbs = ["append", "insert", "new-chain", "policy", "flush", "delete-chain", "zero"];
    private static readonly string[] OtherVerbs = ["delete", "check", "replace", "list", "list-rules", "rename-chain"];
    private static readonly string[] RuleOptions =
        ["source", "destination", "protocol", "in-interface", "out-interface", "fragments", "jump", "goto", "set-counters"];

    private readonly ErrorList _errors;
    private readonly OptionScanner _scanner;
    private readonly Command _command;
    private readonly bool _isRestore;
    private readonly List<ExtensionUse> _loaded = [];
    private Token? _protocolWord;
    private bool _isProtocolMatchLoaded;

    private CommandParser(IReadOnlyList<Token> words, Token end, Command command, bool isRestore, ErrorList errors)
    {
        (_errors, _command, _isRestore) = (errors, command, isRestore);
        _scanner = new(words, end, errors);
    }

    /// <summary>Reads a command.</summary>
    /// <param name="words">The words behind the command's name.</param>
    /// <param name="end">The place behind the last word.</param>
    /// <param name="family">Whose command it is.</param>
    /// <param name="restoreTable">The table of restore text; null for a command line, which names its own.</param>
    /// <param name="errors">Where mistakes go.</param>
    /// <returns>The command; null where it is for the other family (<c>-4</c>, <c>-6</c>), or is no command.</returns>
    public static Command? Parse(
        IReadOnlyList<Token> words, Token end, IpFamily family, string? restoreTable, ErrorList errors)
    {
        var command = new Command { Family = family, Table = restoreTable ?? "filter", Line = end.Line };
        return new CommandParser(words, end, command, restoreTable is not null, errors).Run(end) ? command : null;
    }

    private bool Run(Token end)
    {
        var before = _errors.Count;
        OptionScanner.Lookup find = Find;
        Action<Token, string> unknown = Unknown;
        while (_scanner.Next(find, unknown) is { } use)
        {
            if (Owner(use.Spec) is { } extension) extension.Add(use);
            else if (use.Spec.Name is "ipv4" or "ipv6")
            {
                // Restore text may hold lines of both families; each reads its own.
                if (use.Spec.Name == "ipv4" == (_command.Family == IpFamily.IPv4)) continue;
                if (_isRestore) return false;
                _errors.Error(use.Option, $"{use.Option} contradicts the command");
            }
            else Base(use);
        }
        foreach (var extension in _command.Matches) extension.Check(_errors);
        _command.Target?.Check(_errors);
        if (_command.Verb is null)
        {
            if (_errors.Count == before) _errors.Error(end, "this says nothing to do", "write -A CHAIN to append a rule");
            return false;
        }
        CheckOptions();
        return true;
    }

    // What is known at this point, as getopt_long tries it: a whole name first, then a beginning that fits one option only.
    private OptionSpec? Find(string name)
    {
        var found = Known(name);
        if (found is not null || !LoadProtocolMatch()) return found;
        return Known(name);
    }

    private OptionSpec? Known(string name)
    {
        if (BaseOptions.ByName.TryGetValue(name, out var whole)) return whole;
        for (var i = _loaded.Count - 1; i >= 0; i--)
        {
            foreach (var spec in _loaded[i].Extension.Options)
                if (spec.IsNamed(name)) return spec;
        }
        if (name.Length == 0) return null;
        OptionSpec? beginning = null;
        foreach (var spec in BaseOptions.All)
            if (!IsOnly(ref beginning, spec, name)) return null;
        foreach (var use in _loaded)
        {
            foreach (var spec in use.Extension.Options)
                if (!IsOnly(ref beginning, spec, name)) return null;
        }
        return beginning;
    }

    /// <summary>False where an option and another one begin with the name.</summary>
    private static bool IsOnly(ref OptionSpec? beginning, OptionSpec spec, string name)
    {
        if (ReferenceEquals(spec, beginning) || !spec.Begins(name)) return true; // an extension may be loaded twice
        if (beginning is not null) return false;
        beginning = spec;
        return true;
    }

    private IEnumerable<OptionSpec> AllKnown()
        => BaseOptions.All.Concat(_loaded.AsEnumerable().Reverse().Select(e => e.Extension).Distinct().SelectMany(e => e.Options));

    private static IEnumerable<string> Names(OptionSpec spec) => spec.Aliases.Prepend(spec.Name);

    private ExtensionUse? Owner(OptionSpec spec)
    {
        for (var i = _loaded.Count - 1; i >= 0; i--)
        {
            foreach (var option in _loaded[i].Extension.Options)
                if (ReferenceEquals(option, spec)) return _loaded[i];
        }
        return null;
    }

    private void Unknown(Token option, string name)
    {
        var beginnings = AllKnown().SelectMany(Names).Where(n => n.StartsWith(name, StringComparison.Ordinal)).ToArray();
        if (name.Length > 0 && beginnings.Length > 1)
        {
            _errors.Error(option, $"\"{option}\" could be any of --{string.Join(", --", beginnings)}", "write more of it");
            return;
        }
        var owners = ExtensionRegistry.Matches.Values.Distinct()
            .Where(m => IsFor(m.Scope) && m.Options.SelectMany(Names).Contains(name)).Select(m => m.Name).Order(StringComparer.Ordinal).ToArray();
        var targets = ExtensionRegistry.Targets.Values.Distinct()
            .Where(t => IsFor(t.Scope) && t.Options.SelectMany(Names).Contains(name)).Select(t => t.Name).Order(StringComparer.Ordinal).ToArray();
        var hint = owners.Length > 0 ? $"it belongs to -m {string.Join(", -m ", owners)}: name that before"
            : targets.Length > 0 ? $"it belongs to -j {string.Join(", -j ", targets)}: name that before"
            : Nearest.Hint(name, AllKnown().SelectMany(Names), "--");
        _errors.Error(option, $"\"{option}\" is not an option here", hint);
    }

    // "-p tcp" alone lets tcp's options be used: the match is loaded at the first option that nothing else knows.
    private bool LoadProtocolMatch()
    {
        if (_isProtocolMatchLoaded || _protocolWord is not { } word) return false;
        var name = word.Text.ToLowerInvariant();
        if (ExtensionOptions.TryNumber(name, out var number)) name = number <= byte.MaxValue ? ProtocolNames.Name((byte)number) : "";
        if (!ExtensionRegistry.Matches.TryGetValue(name, out var match) || !IsFor(match.Scope)) return false;
        _isProtocolMatchLoaded = true;
        Load(match, word);
        return true;
    }

    private void Load(MatchExtension match, Token word)
    {
        var use = new ExtensionUse(match, word);
        _command.Matches.Add(use);
        _loaded.Add(use);
    }

    private bool IsFor(ExtensionScope scope) => scope.Family == IpFamily.None || scope.Family == _command.Family;

    private void Base(OptionUse use)
    {
        var name = use.Spec.Name;
        if (Verbs.Contains(name)) Verb(use);
        else if (OtherVerbs.Contains(name))
        {
            _command.Verb ??= name;
            _errors.Error(use.Option, $"{use.Option} has no meaning in a rule file", "a file says what the rules are: use -A, -I, -N, -P, -F, -X or -Z");
            _scanner.IsForgiving = true;
        }
        else if (name == "match") Match(use.Word);
        else if (name == "table") Table(use);
        else if (name is "numeric" or "exact" or "line-numbers" or "help" or "version")
            _errors.Error(use.Option, $"{use.Option} has no meaning in a rule file", "leave it out");
        else if (name is "verbose" or "modprobe") return;
        else if (name is "wait" or "wait-interval")
        {
            if (_isRestore) _errors.Error(use.Option, $"{use.Option} cannot be used in restore text", "leave it out");
            if (use.Words.Length == 0) _scanner.TryWord();
        }
        else if (!_command.Options.TryAdd(name is "goto" ? "jump" : name, use))
            _errors.Error(use.Option, name is "jump" or "goto" ? "a rule has one -j or -g" : $"{use.Option} stands twice", "once is possible");
        else RuleOption(use);
    }

    private void RuleOption(OptionUse use)
    {
        switch (use.Spec.Name)
        {
            case "protocol":
                _protocolWord = use.Word;
                _command.Protocol = ProtocolNames.Read(_errors, use.Word);
                _command.IsProtocolInverted = use.IsInverted;
                if (use.IsInverted && _command.Protocol == 0)
                    _errors.Error(use.Word, "no packet has a protocol other than any");
                break;
            case "jump":
                Jump(use.Word);
                break;
            case "goto":
                (_command.Jump, _command.IsGoto) = (use.Word, true);
                break;
            case "set-counters":
                Counters(use);
                break;
            case "fragments" when _command.Family == IpFamily.IPv6:
                _errors.Error(use.Option, $"{use.Option} is for IPv4 only");
                break;
        }
    }

    private void Verb(OptionUse use)
    {
        if (_command.Verb is not null)
        {
            _errors.Error(use.Option, $"{_command.VerbWord} and {use.Option} cannot be in one command", "write a line for each");
            return;
        }
        (_command.Verb, _command.VerbWord) = (use.Spec.Name, use.Option);
        _command.Chain = use.Words.Length > 0 ? use.Word : use.Spec.IsArgumentOptional ? _scanner.TryWord() : null;
        switch (use.Spec.Name)
        {
            case "insert":
                _command.Number = _scanner.TryWord() is { } place ? RuleNumber(place) : 1;
                break;
            case "zero":
                if (_scanner.TryWord() is { } number) _command.Number = RuleNumber(number);
                break;
            case "policy":
                _command.Policy = _scanner.TryWord();
                if (_command.Policy is null) _errors.Error(use.Option, $"{use.Option} needs a chain and a policy", "write -P CHAIN ACCEPT or -P CHAIN DROP");
                break;
        }
    }

    private int RuleNumber(Token word)
    {
        if (ExtensionOptions.TryNumber(word.Text, out var number) && number is >= 1 and <= int.MaxValue) return (int)number;
        _errors.Error(word, $"\"{word}\" is not a rule number", "rules are counted from 1");
        return 1;
    }

    private void Match(Token word)
    {
        if (ExtensionRegistry.Matches.TryGetValue(word.Text, out var match) && IsFor(match.Scope))
        {
            Load(match, word);
            return;
        }
        _scanner.IsForgiving = true;
        if (match is not null)
            _errors.Error(word, $"the match \"{word}\" is for {AddressWords.Name(match.Scope.Family)} only");
        else if (UnsupportedExtensions.Matches.Contains(word.Text))
            _errors.Error(word, $"the match \"{word}\" is not supported");
        else
            _errors.Error(word, $"there is no match \"{word}\"", Nearest.Hint(word.Text, ExtensionRegistry.Matches.Keys));
    }

    // A target where there is one of this name; else a chain, which the builder looks for.
    private void Jump(Token word)
    {
        _command.Jump = word;
        if (ExtensionRegistry.Targets.TryGetValue(word.Text, out var target))
        {
            if (!IsFor(target.Scope))
            {
                _errors.Error(word, $"the target \"{word}\" is for {AddressWords.Name(target.Scope.Family)} only");
                _scanner.IsForgiving = true;
                return;
            }
            _command.Target = new(target, word);
            _loaded.Add(_command.Target);
        }
        else if (UnsupportedExtensions.Targets.Contains(word.Text)) _scanner.IsForgiving = true;
    }

    private void Table(OptionUse use)
    {
        if (_isRestore)
        {
            _errors.Error(use.Option, "-t cannot be used in restore text", "the line *TABLE says it");
            return;
        }
        _command.Table = use.Word.Text;
        Tables.Check(_errors, use.Word);
    }

    // "-c packets bytes" or "-c packets,bytes".
    private void Counters(OptionUse use)
    {
        var text = use.Word.Text.Split(',', 2);
        var bytes = text.Length == 2 ? text[1] : _scanner.TryWord()?.Text;
        if (bytes is not null && ulong.TryParse(text[0], NumberStyles.None, CultureInfo.InvariantCulture, out var packetCount)
            && ulong.TryParse(bytes, NumberStyles.None, CultureInfo.InvariantCulture, out var byteCount))
        {
            _command.Counters = new RuleCounters(packetCount, byteCount);
            return;
        }
        _errors.Error(use.Word, $"{use.Option} needs two numbers: packets and bytes");
    }

    private void CheckOptions()
    {
        if (_command.Verb is "append" or "insert")
        {
            if (_command.Chain?.Text is "PREROUTING" or "INPUT" && _command.Options.TryGetValue("out-interface", out var o))
                _errors.Error(o.Option, $"a packet in {_command.Chain} has no outgoing interface yet", "-o is for FORWARD, OUTPUT and POSTROUTING");
            if (_command.Chain?.Text is "POSTROUTING" or "OUTPUT" && _command.Options.TryGetValue("in-interface", out var i))
                _errors.Error(i.Option, $"a packet in {_command.Chain} has no incoming interface any more", "-i is for PREROUTING, INPUT and FORWARD");
            return;
        }
        if (OtherVerbs.Contains(_command.Verb)) return;
        foreach (var (name, use) in _command.Options)
        {
            if (RuleOptions.Contains(name) && !(name == "set-counters" && _command.Verb == "policy"))
                _errors.Error(use.Option, $"{use.Option} cannot be used with {_command.VerbWord}");
        }
        foreach (var match in _command.Matches) _errors.Error(match.Word, $"-m cannot be used with {_command.VerbWord}");
    }
}
