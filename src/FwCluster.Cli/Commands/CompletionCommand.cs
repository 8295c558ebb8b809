using System.CommandLine;

namespace FwCluster.Cli.Commands;

/// <summary><c>fwctl completion</c>: scripts that let a shell complete fwctl's words, asking fwctl itself what fits.</summary>
internal static class CompletionCommand
{
    private const string Sections = """
        Examples:
          source <(fwctl completion bash)
          fwctl completion zsh > "${fpath[1]}/_fwctl"
          fwctl completion fish > ~/.config/fish/completions/fwctl.fish

        """;

    // The directive takes the line without the program's name, and the cursor's place in it.
    private const string Bash = """
        # Completion of fwctl for bash: source <(fwctl completion bash)
        _fwctl() {
            local line="${COMP_LINE#* }" word="${COMP_WORDS[COMP_CWORD]}" IFS=$'\n'
            local point=$((COMP_POINT - (${#COMP_LINE} - ${#line})))
            COMPREPLY=($(compgen -W "$("${COMP_WORDS[0]}" "[suggest:$point]" "$line" 2>/dev/null)" -- "$word"))
        }
        complete -o default -F _fwctl fwctl

        """;

    private const string Zsh = """
        #compdef fwctl
        # Completion of fwctl for zsh: fwctl completion zsh > "${fpath[1]}/_fwctl"
        _fwctl() {
            local line="${BUFFER#* }" point words
            point=$((CURSOR - (${#BUFFER} - ${#line})))
            words=("${(@f)$("${words[1]:-fwctl}" "[suggest:$point]" "$line" 2>/dev/null)}")
            words=("${(@)words:#}")
            (( ${#words} )) && compadd -- "${words[@]}" || _files
        }
        if [ "$funcstack[1]" = "_fwctl" ]; then _fwctl "$@"; else compdef _fwctl fwctl; fi

        """;

    private const string Fish = """
        # Completion of fwctl for fish: fwctl completion fish > ~/.config/fish/completions/fwctl.fish
        function __fwctl_complete
            set -l line (string replace -r '^\S+\s' '' -- (commandline -cp))
            fwctl "[suggest:"(string length -- "$line")"]" "$line" 2>/dev/null
        end
        complete -c fwctl -a '(__fwctl_complete)'

        """;

    public static Command Create()
    {
        var shell = new Argument<string>("SHELL") { Description = "bash, zsh or fish." };
        shell.AcceptOnlyFromAmong("bash", "zsh", "fish");
        var command = new Command("completion", "Prints a script that completes fwctl's words in a shell.") { shell };
        HelpWithExamples.Describe(command, Sections);
        command.SetAction(parsed =>
        {
            var script = parsed.GetRequiredValue(shell) switch
            {
                "bash" => Bash,
                "zsh" => Zsh,
                _ => Fish,
            };
            parsed.InvocationConfiguration.Output.Write(script.ReplaceLineEndings("\n"));
        });
        return command;
    }
}
