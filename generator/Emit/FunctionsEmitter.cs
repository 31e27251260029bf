using Native.LibUsb.Generator.Docs;
using Native.LibUsb.Generator.Model;

namespace Native.LibUsb.Generator.Emit;

/// <summary>
/// Writes the functions. If every supported libusb version contains a function, the function is imported. A newer function is looked up when it is called. A
/// program can therefore use an older libusb that lacks this function, even if libusb is linked statically.
/// </summary>
internal sealed class FunctionsEmitter
{
    private readonly BindingModel _model;
    private readonly DocLibrary _docs;
    private readonly CodeWriter _code = CodeWriter.Start("System.Runtime.InteropServices");

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

        _code.Close();
    }

    private void EmitFunction(CFunction function)
    {
        string? since = _model.OptionalSince(function);
        EmitDocs(function, since);
        bool suppressed = _model.SuppressesGcTransition(function);
        if (since is null)
        {
            _code.Line("[LibraryImport(LibraryName)]");
            if (suppressed)
                _code.Line("[SuppressGCTransition]");
        }

        if (_model.Types.LosesMeaning(function.Returns))
            _code.Line($"[return: NativeTypeName(\"{function.ReturnsText}\")]");
        string returns = _model.Types.Map(function.Returns);
        string signature = $"{returns} {function.Name}({string.Join(", ", function.Parameters.Select(Parameter))})";
        if (since is null)
        {
            _code.Line($"public static partial {signature};");
            return;
        }

        string type = _model.Types.FunctionPointer(
            new CFunctionType(function.Returns, [.. function.Parameters.Select(parameter => parameter.Type)], false), suppressed ? "[SuppressGCTransition]" : "");
        _code.Open($"public static {signature}");
        _code.Line($"var export = ({type})OptionalExports.Get(OptionalExports.{function.Name});");
        string call = $"export({string.Join(", ", function.Parameters.Select(parameter => Identifiers.Escape(parameter.Name)))});";
        _code.Line(returns == "void" ? call : $"return {call}");
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
