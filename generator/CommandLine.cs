using System.CommandLine;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using Native.LibUsb.Generator.Clang;
using Native.LibUsb.Generator.Model;
using Native.LibUsb.Generator.Output;
using Native.LibUsb.Generator.Settings;

namespace Native.LibUsb.Generator;

/// <summary>
/// Represents the command line. If the command succeeds, the exit code is 0. If the input has errors, or if the files in the repository differ from the output,
/// the exit code is 1. If the arguments have errors, the exit code is 2.
/// </summary>
internal sealed class CommandLine
{
    private readonly TextWriter _output;
    private readonly TextWriter _error;
    private readonly RootCommand _commands = new("Generates the raw layer of Native.LibUsb from libusb.h.");

    private readonly Option<string?> _root = new("--root")
    {
        Description = "The root of the repository. By default, the generator searches the current folder and its parent folders for Native.LibUsb.sln.",
        Recursive = true,
    };

    private readonly Option<string> _clang = new("--clang")
    {
        Description = $"The clang program, which must have version {ClangCompiler.MajorVersion}. By default, the generator runs clang-{ClangCompiler.MajorVersion} if PATH contains it, and clang otherwise.",
        Recursive = true,
        DefaultValueFactory = _ => ClangCompiler.Default,
    };

    private readonly Option<string> _include = new("--libusb-include")
    {
        Description = "The folder that contains libusb-1.0/libusb.h. The header must be from libusb 1.0.26 or newer.",
        Recursive = true,
        DefaultValueFactory = _ => "/usr/include",
    };

    public CommandLine(TextWriter output, TextWriter error)
    {
        _output = output;
        _error = error;
        foreach (Option option in new Option[] { _root, _clang, _include })
            _commands.Options.Add(option);
        Add("generate", "Writes the generated files.", Generate);
        Add("check", "Compares the output of the generator with the files in the repository, and prints the differences.", Check);
        Add("table", "Prints the README's table of the declarations that the library binds.", Table);
    }

    public int Run(string[] args)
    {
        ParseResult parsed = _commands.Parse(args);
        if (parsed.Action is ParseErrorAction)
        {
            foreach (ParseError error in parsed.Errors)
                _error.WriteLine(error.Message);
            _error.WriteLine("Usage: eng/generate.sh [generate | check | table] [--help]");
            return 2;
        }

        try
        {
            return parsed.Invoke(new InvocationConfiguration { Output = _output, Error = _error, EnableDefaultExceptionHandler = false });
        }
        catch (GeneratorException e)
        {
            foreach (string error in e.Errors)
                _error.WriteLine(error);
            return 1;
        }
    }

    private void Add(string name, string description, Func<Inputs, int> action)
    {
        var command = new Command(name, description);
        command.SetAction(parsed => action(Inputs.From(parsed.GetValue(_root), parsed.GetValue(_clang)!, parsed.GetValue(_include)!)));
        _commands.Subcommands.Add(command);
    }

    private int Generate(Inputs inputs)
    {
        IReadOnlyList<string> written = inputs.Repository.Write(inputs.Generate());
        foreach (string path in written)
            _output.WriteLine($"wrote {path}");
        if (written.Count == 0)
            _output.WriteLine("nothing has changed");
        return 0;
    }

    private int Check(Inputs inputs)
    {
        string difference = inputs.Repository.Compare(inputs.Generate());
        if (difference.Length == 0)
        {
            _output.WriteLine("the generated files are up to date");
            return 0;
        }

        _output.Write(difference);
        _error.WriteLine("the generated files in the repository differ from the output of the generator: run eng/generate.sh");
        return 1;
    }

    private int Table(Inputs inputs)
    {
        (CHeader header, GeneratorSettings settings) = BindingGenerator.Read(inputs.Clang, inputs.Repository.Input, inputs.Repository.Settings);
        _output.Write(CoverageTable.Format(header, settings, inputs.Repository.Interop));
        return 0;
    }

    private sealed record Inputs(Repository Repository, ClangCompiler Clang)
    {
        public static Inputs From(string? root, string clang, string include)
        {
            Repository repository = root is null ? Repository.Find(Directory.GetCurrentDirectory()) : new Repository(Path.GetFullPath(root));
            return new Inputs(repository, new ClangCompiler(clang, repository.Stubs, include));
        }

        public IReadOnlyDictionary<string, string> Generate() => BindingGenerator.Generate(Clang, Repository.Input, Repository.Settings, Repository.Docs);
    }
}
