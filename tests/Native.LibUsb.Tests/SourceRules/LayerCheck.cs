using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Native.LibUsb.Tests.Documentation;

namespace Native.LibUsb.Tests.SourceRules;

/// <summary>
/// Finds references from a file to a layer above the file's own layer. The first folder of a file's path determines the file's layer. The check ignores
/// references in documentation comments.
/// </summary>
internal sealed class LayerCheck
{
    // A source generator writes the bodies of LibraryImport's partial methods. This check does not run the generator, so the compiler reports that these bodies
    // are missing and that variables are not assigned. The check ignores these errors, because it still finds all references.
    private static readonly string[] s_bodyIsGenerated = ["CS8795", "CS0165", "CS0170", "CS0177"];

    private readonly Dictionary<string, int> _layerOfFolder = [];
    private readonly IReadOnlyList<SourceFile> _files;

    /// <param name="layers">The folders of each layer. The lowest layer comes first.</param>
    /// <param name="files">All files of one assembly.</param>
    public LayerCheck(IReadOnlyList<string[]> layers, IReadOnlyList<SourceFile> files)
    {
        for (int layer = 0; layer < layers.Count; layer++)
        {
            foreach (string folder in layers[layer])
                _layerOfFolder.Add(folder, layer + 1);
        }

        _files = files;
    }

    /// <summary>Finds the folders that have files but no layer, and the folders that have a layer but no files.</summary>
    public IReadOnlyList<string> FindUnmappedFolders()
    {
        HashSet<string> folders = [.. _files.Where(file => file.Folder.Length > 0).Select(file => file.Folder)];
        return
        [
            .. folders.Except(_layerOfFolder.Keys).Order(StringComparer.Ordinal).Select(folder => $"{folder}/ has no layer"),
            .. _layerOfFolder.Keys.Except(folders).Order(StringComparer.Ordinal).Select(folder => $"{folder}/ has a layer and no file"),
        ];
    }

    /// <summary>Finds each reference to a higher layer. The result contains the file, the line and both layers.</summary>
    /// <exception cref="InvalidOperationException">The files do not compile, so some of their references are unknown.</exception>
    public IReadOnlyList<string> FindViolations()
    {
        SyntaxTree implicitUsings = SourceFile.Parse("ImplicitUsings.cs", ProgramCompiler.ImplicitUsings).Tree;
        var options = new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, allowUnsafe: true, nullableContextOptions: NullableContextOptions.Enable);
        var compilation = CSharpCompilation.Create("Layers", [implicitUsings, .. _files.Select(file => file.Tree)], Framework(), options);
        string[] errors =
        [
            .. compilation.GetDiagnostics()
                .Where(diagnostic => diagnostic.Severity == DiagnosticSeverity.Error && !s_bodyIsGenerated.Contains(diagnostic.Id))
                .Select(diagnostic => diagnostic.ToString()),
        ];
        if (errors.Length > 0)
            throw new InvalidOperationException($"The sources do not compile:\n{string.Join('\n', errors)}");
        return [.. _files.Where(file => _layerOfFolder.ContainsKey(file.Folder)).SelectMany(file => FindViolations(file, compilation.GetSemanticModel(file.Tree)))];
    }

    private static IEnumerable<MetadataReference> Framework() =>
        ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!)
            .Split(Path.PathSeparator)
            .Where(file => Path.GetDirectoryName(file) == Path.GetDirectoryName(typeof(object).Assembly.Location))
            .Select(file => MetadataReference.CreateFromFile(file));

    private IEnumerable<string> FindViolations(SourceFile file, SemanticModel model)
    {
        int layer = _layerOfFolder[file.Folder];
        HashSet<string> found = [];
        foreach (SyntaxNode node in file.Tree.GetRoot().DescendantNodes()) // without trivia, and so without documentation comments
        {
            if (node is not (SimpleNameSyntax or ImplicitObjectCreationExpressionSyntax or ConstructorInitializerSyntax))
                continue;
            if (model.GetSymbolInfo(node).Symbol is { } symbol && DeclarationOf(symbol) is var (folder, declared) && declared > layer)
            {
                string violation = $"{file.PlaceOf(node)}: {file.Folder} (layer {layer}) refers to {NameOf(symbol)} of {folder} (layer {declared})";
                if (found.Add(violation))
                    yield return violation;
            }
        }
    }

    /// <summary>
    /// Gets the layer that declares a symbol. If several layers declare parts of a partial type, the result is the lowest of these layers. For a namespace and
    /// for a symbol of another assembly, the result is null.
    /// </summary>
    private (string Folder, int Layer)? DeclarationOf(ISymbol symbol)
    {
        (string Folder, int Layer)? lowest = null;
        if (symbol is INamespaceSymbol)
            return null;
        ISymbol declared = symbol is IMethodSymbol { ReducedFrom: { } extension } ? extension : symbol;
        if (declared is IMethodSymbol { IsImplicitlyDeclared: true, ContainingType: { } type })
            declared = type; // a constructor that the compiler adds
        foreach (SyntaxReference reference in declared.OriginalDefinition.DeclaringSyntaxReferences)
        {
            string folder = reference.SyntaxTree.FilePath.Split('/')[0];
            if (_layerOfFolder.TryGetValue(folder, out int layer) && (lowest is null || layer < lowest.Value.Layer))
                lowest = (folder, layer);
        }

        return lowest;
    }

    private static string NameOf(ISymbol symbol) =>
        symbol is INamedTypeSymbol || symbol.ContainingType is not { } type ? symbol.Name : $"{type.Name}.{(symbol.Name == ".ctor" ? "new" : symbol.Name)}";
}
