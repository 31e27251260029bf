using Native.LibUsb.Generator.Docs;
using Native.LibUsb.Generator.Model;

namespace Native.LibUsb.Generator.Emit;

/// <summary>
/// Writes the functions. If every supported libusb version contains a function, the function calls either an import or a pointer, depending on how the program
/// was built (<c>ProgramBinding</c>). A newer function is looked up when it is called. A program can therefore use an older libusb that lacks this function,
/// even if libusb is linked statically.
/// </summary>
internal sealed class FunctionsEmitter
{
    private readonly BindingModel _model;
    private readonly DocLibrary _docs;
    private readonly CodeWriter _code = CodeWriter.Start("System.Runtime.CompilerServices", "System.Runtime.InteropServices");

    private FunctionsEmitter(BindingModel model, DocLibrary docs)
    {
        _model = model;
        _docs = docs;
    }

    public static string Emit(BindingModel model, DocLibrary docs)
    {
        var emitter = new FunctionsEmitter(model, docs);
        emitter.EmitFunctions();
        emitter.EmitOptionalExports();
        return emitter._code.ToString();
    }

    private void EmitFunctions()
    {
        _code.Line("[assembly: DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory | DllImportSearchPath.SafeDirectories)]");
        _code.Line();
        _code.Line("namespace Native.LibUsb.Interop;");
        _code.Line();
        _code.Open("public static unsafe partial class libusb");
        foreach (CFunction function in _model.Functions)
            EmitFunction(function);

        EmitImports([.. _model.Functions.Where(function => _model.OptionalSince(function) is null)]);
        _code.Close();
    }

    private void EmitFunction(CFunction function)
    {
        string? since = _model.OptionalSince(function);
        EmitDocs(function, since);
        if (_model.Types.LosesMeaning(function.Returns))
            _code.Line($"[return: NativeTypeName(\"{function.ReturnsText}\")]");
        // Without this attribute, the compilers do not inline the call of the pointer, and each call executes about 15 instructions more.
        if (since is null)
            _code.Line("[MethodImpl(MethodImplOptions.AggressiveInlining)]");
        string returns = _model.Types.Map(function.Returns);
        string result = returns == "void" ? "" : "return ";
        string arguments = $"({string.Join(", ", function.Parameters.Select(parameter => Identifiers.Escape(parameter.Name)))})";
        _code.Open($"public static {returns} {function.Name}({string.Join(", ", function.Parameters.Select(Parameter))})");
        if (since is null)
        {
            _code.Open("if (ProgramBinding.UsesFunctionPointers)");
            _code.Line($"var function = ({Pointer(function)})LibraryLoader.GetFunction(ref Addresses.{function.Name}, nameof({function.Name}));");
            _code.Line($"{result}function{arguments};");
            _code.Close();
            _code.Open("else");
            _code.Line($"{result}Imports.{function.Name}{arguments};");
            _code.Close();
        }
        else
        {
            _code.Line($"var export = ({Pointer(function)})OptionalExports.Get(OptionalExports.{function.Name});");
            _code.Line($"{result}export{arguments};");
        }

        _code.Close();
    }

    private string Pointer(CFunction function) => _model.Types.FunctionPointer(
        new CFunctionType(function.Returns, [.. function.Parameters.Select(parameter => parameter.Type)], false),
        _model.SuppressesGcTransition(function) ? "[SuppressGCTransition]" : "");

    private void EmitImports(List<CFunction> imported)
    {
        if (imported.Count == 0)
            return;

        _code.Line();
        _code.Open("private static partial class Imports");
        foreach (CFunction function in imported)
        {
            _code.Gap();
            _code.Line("[LibraryImport(LibraryName)]");
            if (_model.SuppressesGcTransition(function))
                _code.Line("[SuppressGCTransition]");
            string parameters = string.Join(", ", function.Parameters.Select(parameter => $"{_model.Types.Map(parameter.Type)} {Identifiers.Escape(parameter.Name)}"));
            _code.Line($"internal static partial {_model.Types.Map(function.Returns)} {function.Name}({parameters});");
        }

        _code.Close();
        _code.Line();
        _code.Line("// An address is 0 until the program calls the function.");
        _code.Open("private static partial class Addresses");
        foreach (CFunction function in imported)
            _code.Line($"internal static nint {function.Name};");
        _code.Close();
    }

    private string Parameter(CParameter parameter)
    {
        string attribute = _model.Types.LosesMeaning(parameter.Type) ? $"[NativeTypeName(\"{parameter.TypeText}\")] " : "";
        return $"{attribute}{_model.Types.Map(parameter.Type)} {Identifiers.Escape(parameter.Name)}";
    }

    private void EmitDocs(CFunction function, string? since)
    {
        DocText text = _docs["function", function.Name];
        _code.Gap();
        if (text.Summary is null)
            return;
        _code.Doc("summary", text.Summary);
        foreach (CParameter parameter in function.Parameters)
            _code.Doc("param", text.Parts.GetValueOrDefault(parameter.Name), $"name=\"{parameter.Name}\"");
        _code.Doc("returns", text.Returns);
        if (since is not null)
            _code.Doc("exception", $"The loaded library does not have this function; libusb {since} added it.", "cref=\"UsbNotSupportedException\"");
        _code.Doc("remarks", text.Remarks);
    }

    private void EmitOptionalExports()
    {
        var optional = _model.Functions.Where(function => _model.OptionalSince(function) is not null).ToList();
        if (optional.Count == 0)
            return;

        _code.Line();
        _code.Line("// Index, name and version of each function that the loaded library may lack.");
        _code.Open("internal static partial class OptionalExports");
        for (int i = 0; i < optional.Count; i++)
            _code.Line($"internal const int {optional[i].Name} = {i};");
        _code.Line();
        EmitTable("s_names", optional.Select(function => function.Name));
        _code.Line();
        EmitTable("s_versions", optional.Select(function => _model.OptionalSince(function)!));
        _code.Close();
    }

    private void EmitTable(string name, IEnumerable<string> values)
    {
        _code.Open($"private static readonly string[] {name} =", "[");
        foreach (string value in values)
            _code.Line($"\"{value}\",");
        _code.Close("];");
    }
}
